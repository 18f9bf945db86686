"""Physico-chemical scales of the 20 amino acids, in the order ACDEFGHIKLMNPQRSTVWY.

hydropathy   Kyte and Doolittle, J Mol Biol 157:105 (1982)
eisenberg    normalised consensus hydrophobicity, Eisenberg et al., J Mol Biol 179:125 (1984)
volume       Zamyatnin, Prog Biophys Mol Biol 24:107 (1972), in 100 cubic angstroms
polarity     Grantham, Science 185:862 (1974)
helix        helix propensity, Pace and Scholtz, Biophys J 75:422 (1998), kcal/mol; small favours a helix
boman        Boman, J Intern Med 254:197 (2003), after Radzicka and Wolfenden (1988), kcal/mol; high: binds proteins
charge       at pH 7; a histidine counts as +0.1
"""

import numpy as np

SCALES = {
    "hydropathy": (
        *(1.8, 2.5, -3.5, -3.5, 2.8, -0.4, -3.2, 4.5, -3.9, 3.8),
        *(1.9, -3.5, -1.6, -3.5, -4.5, -0.8, -0.7, 4.2, -0.9, -1.3),
    ),
    "eisenberg": (
        *(0.62, 0.29, -0.90, -0.74, 1.19, 0.48, -0.40, 1.38, -1.50, 1.06),
        *(0.64, -0.78, 0.12, -0.85, -2.53, -0.18, -0.05, 1.08, 0.81, 0.26),
    ),
    "volume": (
        *(0.886, 1.085, 1.111, 1.384, 1.899, 0.601, 1.532, 1.667, 1.686, 1.667),
        *(1.629, 1.141, 1.127, 1.438, 1.734, 0.890, 1.161, 1.400, 2.278, 1.936),
    ),
    "polarity": (
        *(8.1, 5.5, 13.0, 12.3, 5.2, 9.0, 10.4, 5.2, 11.3, 4.9),
        *(5.7, 11.6, 8.0, 10.5, 10.5, 9.2, 8.6, 5.9, 5.4, 6.2),
    ),
    "helix": (
        *(0.0, 0.68, 0.69, 0.40, 0.54, 1.0, 0.61, 0.41, 0.26, 0.21),
        *(0.24, 0.65, 3.16, 0.39, 0.21, 0.50, 0.66, 0.61, 0.49, 0.53),
    ),
    "boman": (
        *(-1.81, -1.28, 8.72, 6.81, -2.98, -0.94, 4.66, -4.92, 5.55, -4.92),
        *(-2.35, 6.64, 0.0, 5.54, 14.92, 3.40, 2.57, -4.04, -2.33, 0.14),
    ),
    "charge": (*(0, 0, -1, -1, 0, 0, 0.1, 0, 1, 0), *(0, 0, 0, 0, 1, 0, 0, 0, 0, 0)),
}

ACIDS = {"D": 3.9, "E": 4.1, "C": 8.5, "Y": 10.1}
BASES = {"K": 10.8, "R": 12.5, "H": 6.5}
N_TERMINUS, C_TERMINUS = 8.6, 3.6
"""Dissociation constants (pK) of the EMBOSS suite."""


def isoelectric_point(counts: np.ndarray, letters: str) -> np.ndarray:
    """The pH at which each sequence has no net charge, from its residue ``counts`` of shape (rows, letters).

    Henderson-Hasselbalch with independent groups, solved by bisection between pH 0 and 14 (to 0.001).
    """
    low, high = np.zeros(len(counts)), np.full(len(counts), 14.0)
    for _ in range(14):
        ph = (low + high) / 2
        charge = 1 / (1 + 10 ** (ph - N_TERMINUS)) - 1 / (1 + 10 ** (C_TERMINUS - ph))
        for letter, pk in BASES.items():
            charge = charge + counts[:, letters.index(letter)] / (1 + 10 ** (ph - pk))
        for letter, pk in ACIDS.items():
            charge = charge - counts[:, letters.index(letter)] / (1 + 10 ** (pk - ph))
        low, high = np.where(charge > 0, ph, low), np.where(charge > 0, high, ph)
    return np.asarray((low + high) / 2)


def hydrophobic_moment(values: np.ndarray, known: np.ndarray, window: int, degrees: float) -> np.ndarray:
    """Largest mean hydrophobic moment over windows (Eisenberg et al., Nature 299:371, 1982), one number a row.

    ``values`` has the hydrophobicity of each residue, shape (rows, width), zero where not ``known``. 100 degrees a
    residue is an alpha helix, 160 a beta strand. A shorter sequence is one window.
    """
    rows, width = values.shape
    angles = np.deg2rad(degrees) * np.arange(width)
    sums = [
        np.hstack([np.zeros((rows, 1)), np.cumsum(part, axis=1)])
        for part in (values * np.sin(angles), values * np.cos(angles), known.astype(float))
    ]
    span = min(window, width)
    sine, cosine, residues = (total[:, span:] - total[:, : total.shape[1] - span] for total in sums)
    moment = np.hypot(sine, cosine) / np.maximum(residues, 1)
    full = residues >= np.minimum(span, known.sum(axis=1, keepdims=True))
    return np.asarray(np.where(full, moment, 0).max(axis=1, initial=0.0))
