"""Tested scikit-learn recipes that the built-in policy writes into a run as real, self-contained scripts."""
