"""Datasets that ship with the program, each with its licence and source beside it."""

from pathlib import Path
from typing import Final

DEMO_DATASET: Final = Path(__file__).parent / "antimicrobial_peptides"
"""What ``agentomics-tui demo`` runs on."""
