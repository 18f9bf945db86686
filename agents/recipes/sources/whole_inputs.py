"""Read all that is known of the labelled rows of a split, before anybody has said which columns matter."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from agents.recipes.sources.reading import FASTA_SUFFIXES, fail, find_inputs, read_fasta


def read_whole(path: Path, labelled: Iterable[str] | None = None, **options: Any) -> pd.DataFrame:
    """Every column of the inputs at ``path`` with their ids as index; of FASTA files, the column ``sequence``.

    ``options`` go to ``pandas.read_csv``. With ``labelled``, exactly those ids, in the order of the file. Ends the
    script where an id stands there twice, or a labelled one is missing.
    """
    files = find_inputs(path)
    suffix = files[0].suffix.lower()
    if suffix in FASTA_SUFFIXES:
        frame = pd.concat([read_fasta(file) for file in files])
    else:
        frame = pd.read_csv(files[0], sep="\t" if suffix == ".tsv" else ",", **{"dtype": {"id": str}, **options})
        frame = frame.set_index("id")
    if frame.index.has_duplicates:
        fail(f"{files[0].parent}: id {frame.index[frame.index.duplicated()][0]!r} stands there more than once")
    if labelled is None:
        return frame
    wanted = pd.Index(list(labelled))
    absent = wanted.difference(frame.index)
    if len(absent):
        fail(f"{files[0].parent}: {len(absent)} labelled ids have no inputs, such as {absent[0]!r}")
    return frame[frame.index.isin(wanted)]
