"""The fixture of all tool tests."""

from pathlib import Path

import pytest

from tests.agents.tools.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path.resolve())
    place.step.mkdir(parents=True)
    place.log.parent.mkdir()
    place.log.touch()
    return place
