"""Scripts that the policy writes into a run.

Each is a module that is tested as such; :func:`source` joins it with the reader of the recipes, so that what is
written is a whole program: numpy, pandas and scikit-learn only, nothing of this package. Its last line of output is
``RESULT: {json}``, which the policy reads; what stands above it is for the person who watches.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from agents.recipes.scripts import join

_READER: Final = ("reading", "whole_inputs")


@cache
def source(name: str) -> str:
    """Text of one script, such as ``source("split.py")``."""
    text = files(__name__).joinpath(name).read_text(encoding="utf-8")
    reader = _READER if "agents.recipes.sources" in text else ()
    stem = name.removesuffix(".py")
    return join([*reader, stem], own={stem: text})
