"""Datasets: what they are made of, how they are checked, split and handed to an agent without the test labels."""
