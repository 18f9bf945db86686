"""Where the paths of a model may lead."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.tools.base import ToolContext
from agents.tools.paths import PathRefused, existing_file, script_file, writable_file
from tests.agents.tools.place import Place

Resolve = Callable[[str, ToolContext], Path]


def test_relative_absolute_and_roundabout_paths_inside_the_step_are_resolved(place: Place) -> None:
    wanted = place.step / "sub" / "x.py"
    for path in ("sub/x.py", "./sub/../sub/x.py", str(wanted), f"../{place.step.name}/sub/x.py"):
        assert writable_file(path, place.context()) == wanted


def test_a_link_inside_the_step_is_followed(place: Place) -> None:
    (place.step / "real").mkdir()
    (place.step / "link").symlink_to("real")
    assert writable_file("link/x.py", place.context()) == place.step / "real" / "x.py"


@pytest.mark.parametrize("path", ["../x.py", "/etc/passwd", "..", ".", "", "  ", "a/../../x.py", "/"])
def test_paths_outside_the_step_are_refused_for_writing(place: Place, path: str) -> None:
    with pytest.raises(PathRefused):
        writable_file(path, place.context())


def test_a_folder_whose_name_begins_like_the_steps_is_outside(place: Place) -> None:
    with pytest.raises(PathRefused, match="outside this step's folder"):
        writable_file(f"{place.step}_2/x.py", place.context())


@pytest.mark.parametrize("resolve", [writable_file, existing_file])
def test_links_that_lead_out_of_the_step_are_refused(place: Place, resolve: Resolve) -> None:
    outside = place.root / "outside"
    outside.mkdir()
    (outside / "x.py").touch()
    (place.step / "folder").symlink_to(outside)
    (place.step / "x.py").symlink_to(outside / "x.py")
    (place.step / "missing.py").symlink_to(outside / "new.py")
    for path in ("folder/x.py", "x.py", "missing.py", "folder/../x.py"):
        with pytest.raises(PathRefused, match="outside this step's folder"):
            resolve(path, place.context())


@pytest.mark.parametrize("resolve", [writable_file, existing_file, script_file])
@pytest.mark.parametrize("path", ["loop", "a\0b", "x" * 5_000, "x" * 300, "\ud800"])
def test_unusable_paths_are_refused_with_words(place: Place, resolve: Resolve, path: str) -> None:
    (place.step / "loop").symlink_to("loop")
    with pytest.raises(PathRefused) as refusal:
        resolve(path, place.context())
    str(refusal.value).encode()


def test_folders_and_special_files_are_no_files(place: Place) -> None:
    (place.step / "folder.py").mkdir()
    os.mkfifo(place.step / "pipe.py")
    with pytest.raises(PathRefused, match="folder"):
        writable_file("folder.py", place.context())
    with pytest.raises(PathRefused, match="special file"):
        existing_file("pipe.py", place.context())
    with pytest.raises(PathRefused, match="not a file"):
        script_file("pipe.py", place.context())


def test_a_script_of_another_step_may_be_run_but_not_written(place: Place) -> None:
    script = place.iteration / "data_split" / "split.py"
    script.parent.mkdir()
    script.touch()
    assert script_file("../data_split/split.py", place.context()) == script
    with pytest.raises(PathRefused):
        writable_file("../data_split/split.py", place.context())


def test_a_script_of_another_iteration_may_not_be_run(place: Place) -> None:
    other = place.iteration.with_name("001") / "train.py"
    other.parent.mkdir()
    other.touch()
    (place.step / "train.py").symlink_to(other)
    for path in (str(other), "train.py", "../../001/train.py"):
        with pytest.raises(PathRefused, match="outside this iteration"):
            script_file(path, place.context())


def test_a_missing_script_says_where_paths_start_and_what_may_be_meant(place: Place) -> None:
    (place.step / "train.py").touch()
    with pytest.raises(PathRefused) as refusal:
        script_file("model_training/train.py", place.context())
    assert f"relative paths start in {place.step}" in str(refusal.value)
    assert f"did you mean {str(place.step / 'train.py')!r}?" in str(refusal.value)
