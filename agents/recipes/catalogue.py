"""The recipes: which candidates fit a profile, how to refine or combine them, and the scripts that carry them out."""

from agents.recipes.candidate import Candidate, Description, InputKind, InputProfile
from agents.recipes.menu import candidates, ensemble, refinements
from agents.recipes.scripts import scripts
from agents.recipes.words import describe

__all__ = [
    "Candidate",
    "Description",
    "InputKind",
    "InputProfile",
    "candidates",
    "describe",
    "ensemble",
    "refinements",
    "scripts",
]
