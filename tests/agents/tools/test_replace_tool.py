"""The tool ``replace``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tools.base import ToolResult
from agents.tools.registry import TOOLS
from agents.tools.replace import EditRefused, apply_edits
from agents.vocabulary import ToolOutcome
from tests.agents.tools.place import Place

SOURCE = "import os\n\n\ndef f(x):\n    y = x + 1\n    return y\n\n\ndef g(x):\n    y = x + 2\n    return y\n"


async def replace(place: Place, path: str, *edits: tuple[str, str]) -> ToolResult:
    tool = TOOLS["replace"]
    arguments = {"path": path, "edits": [{"old": old, "new": new} for old, new in edits]}
    return await tool.run(tool.arguments.model_validate(arguments), place.context())


@pytest.fixture
def source(place: Place) -> Place:
    (place.step / "a.py").write_text(SOURCE)
    return place


async def test_edits_are_made_in_order_and_shown_as_a_difference(source: Place) -> None:
    result = await replace(source, "a.py", ("x + 1", "x * 3"), ("x * 3", "x * 4"), ("import os\n", ""))
    assert (source.step / "a.py").read_text() == SOURCE.replace("x + 1", "x * 4").replace("import os\n", "")
    assert result.outcome is ToolOutcome.OK
    assert result.text.startswith("3 edits made\n--- a.py\n+++ a.py\n@@")
    assert "-    y = x + 1\n+    y = x * 4\n" in result.text
    assert source.log.read_text() in result.text


async def test_nothing_is_changed_unless_all_edits_can_be_made(source: Place) -> None:
    result = await replace(source, "a.py", ("x + 1", "x * 3"), ("nowhere", ""))
    assert result.outcome is ToolOutcome.ERROR
    assert result.text.startswith("nothing was changed: edit 2: its old text does not occur.")
    assert (source.step / "a.py").read_text() == SOURCE
    assert sorted(path.name for path in source.step.iterdir()) == ["a.py"]


async def test_an_old_text_that_is_not_unique_says_where_it_stands(source: Place) -> None:
    result = await replace(source, "a.py", ("return y", "return 2 * y"))
    assert "edit 1: its old text occurs 2 times, at lines 6, 11" in result.text
    assert (source.step / "a.py").read_text() == SOURCE


@pytest.mark.parametrize(
    ("old", "hint"),
    [
        ("y = x + 3", "Most similar is line 5: '    y = x + 1'"),
        ("      y = x + 1", "Line 5 differs only in spaces: '    y = x + 1'"),
        ("\ty = x + 2\n", "Line 10 differs only in spaces"),
        ("def g(x):\n    z", "Its first line stands at line 9, but what follows there differs"),
        ("%%%%%%%%%%%%%", "No line is similar"),
        ("\n\n\n\n", "No line is similar"),
    ],
)
async def test_a_missing_old_text_gets_a_hint(source: Place, old: str, hint: str) -> None:
    assert hint in (await replace(source, "a.py", (old, ""))).text


async def test_line_ends_of_windows_are_named(place: Place) -> None:
    (place.step / "a.txt").write_bytes(b"one\r\ntwo\r\n")
    assert "CR LF" in (await replace(place, "a.txt", ("one\ntwo", "three"))).text
    assert (await replace(place, "a.txt", ("one\r\ntwo", "three"))).outcome is ToolOutcome.OK
    assert (place.step / "a.txt").read_bytes() == b"three\r\n"


async def test_python_must_still_compile(source: Place) -> None:
    result = await replace(source, "a.py", ("def g(x):", "def g(x)"))
    assert "no valid Python. a.py, line 9, column 9: expected ':'" in result.text
    assert (source.step / "a.py").read_text() == SOURCE


async def test_other_files_need_not_compile_and_keep_their_mode(place: Place) -> None:
    script = place.step / "run.sh"
    script.write_text("echo one\n")
    script.chmod(0o750)
    assert (await replace(place, "run.sh", ("one", "two"))).outcome is ToolOutcome.OK
    assert script.read_text() == "echo two\n"
    assert script.stat().st_mode & 0o777 == 0o750


async def test_files_outside_missing_or_not_text_are_refused(place: Place) -> None:
    outside = place.root / "outside.txt"
    outside.write_text("safe")
    (place.step / "link").symlink_to(outside)
    (place.step / "binary").write_bytes(b"safe\xff")
    (place.step / "large").write_bytes(b"safe" + b"x" * 1_000_000)
    for path in ("link", str(outside), "../../../outside.txt", "missing", ".", "binary", "large"):
        result = await replace(place, path, ("safe", "broken"))
        assert result.outcome is ToolOutcome.ERROR
        assert result.text.startswith("nothing was changed: ")
    assert outside.read_text() == "safe"


async def test_edits_that_change_nothing_are_refused(source: Place) -> None:
    assert "leave the file as it is" in (await replace(source, "a.py", ("x + 1", "x + 1"))).text


async def test_a_large_difference_is_bounded_in_the_result_and_whole_in_the_log(place: Place) -> None:
    (place.step / "a.txt").write_text("begin\n" + "line\n" * 20_000)
    result = await replace(place, "a.txt", ("begin\n" + "line\n" * 19_000, "other\n" * 19_000))
    assert "left out" in result.text
    assert len(result.text) < 13_000
    assert place.log.read_text().count("+other") == 19_000


SMALL = st.text("ab\n", max_size=12)


@given(SMALL, st.lists(st.tuples(st.text("ab\n", min_size=1, max_size=3), st.text("abc", max_size=3)), max_size=4))
def test_edits_agree_with_a_plain_model(text: str, edits: list[tuple[str, str]]) -> None:
    expected: str | None = text
    for old, new in edits:
        starts = [i for i in range(len(expected)) if expected[i : i + len(old)] == old]
        if len(starts) != 1:
            expected = None
            break
        expected = expected[: starts[0]] + new + expected[starts[0] + len(old) :]
    if expected is None:
        with pytest.raises(EditRefused):
            apply_edits(text, edits)
    else:
        assert apply_edits(text, edits) == expected
