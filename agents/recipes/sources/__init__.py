"""Sources of the scripts that recipes write into a run.

Real modules, tested as such. :mod:`agents.recipes.scripts` joins those that a candidate needs into ``features.py``,
``train.py`` and ``inference.py``, which then need nothing but numpy, pandas and scikit-learn. A module here imports
nothing of the project but other modules of this package, and those only by ``from … import …`` at its top.
"""
