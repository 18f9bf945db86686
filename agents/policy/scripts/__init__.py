"""Scripts that the policy writes into a run as they stand here.

Each is a whole program: numpy, pandas and scikit-learn only, nothing of this package. Its last line of output is
``RESULT: {json}``, which the policy reads; what stands above it is for the person who watches.
"""

from functools import cache
from importlib.resources import files


@cache
def source(name: str) -> str:
    """Text of one script, such as ``source("split.py")``."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
