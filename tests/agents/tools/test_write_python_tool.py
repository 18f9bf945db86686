"""The tool ``write_python``."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.tools.base import ToolResult
from agents.tools.python_source import syntax_error
from agents.tools.registry import TOOLS
from agents.vocabulary import ToolOutcome
from tests.agents.tools.place import Place


async def write(place: Place, path: str, content: str) -> ToolResult:
    tool = TOOLS["write_python"]
    return await tool.run(tool.arguments(path=path, content=content), place.context())


def files(place: Place) -> list[str]:
    return sorted(str(path.relative_to(place.step)) for path in place.step.rglob("*"))


async def test_a_file_is_written_with_its_folders(place: Place) -> None:
    content = "# größer\nprint('hi')\n"
    result = await write(place, "sub/deep/train.py", content)
    assert result == ToolResult("wrote sub/deep/train.py: 2 lines")
    assert (place.step / "sub/deep/train.py").read_bytes() == content.encode()
    assert place.log.read_bytes() == b"", "what was written stands in the arguments; the result goes there in its place"


async def test_an_existing_file_is_replaced(place: Place) -> None:
    await write(place, "a.py", "x = 1")
    assert (await write(place, "a.py", "x = 2")).text == "wrote a.py: 1 line"
    assert (place.step / "a.py").read_text() == "x = 2"


async def test_a_syntax_error_writes_nothing_and_names_line_and_column(place: Place) -> None:
    (place.step / "a.py").write_text("x = 1\n")
    result = await write(place, "a.py", "x = 1\nif x\n    y = 2\n")
    assert result.outcome is ToolOutcome.ERROR
    assert result.text == "syntax error, nothing was written. a.py, line 2, column 5: expected ':'\n    if x"
    assert (place.step / "a.py").read_text() == "x = 1\n"
    assert (await write(place, "new/b.py", "def")).outcome is ToolOutcome.ERROR
    assert files(place) == ["a.py"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("return 1", "'return' outside function"),
        ("x = '\ud800'", "lone surrogate"),
        ("a\0b", "null bytes"),
        ("# coding: nope\n", "unknown encoding"),
        ("# coding: ascii\nx = 'é'\n", "ascii"),
        ("x = " + "-" * 200_000 + "1", "nested too deeply"),
        ("a" + ".b" * 200_000, "nested too deeply"),
    ],
)
def test_whatever_the_compiler_refuses_is_told_in_words(source: str, said: str) -> None:
    problem = syntax_error(source, "a.py")
    assert problem is not None
    assert said in problem
    problem.encode()


@given(st.text(max_size=60))
def test_the_check_agrees_with_the_compiler(source: str) -> None:
    problem = syntax_error(source, "a.py")
    try:
        compile(source.encode(), "a.py", "exec")
    except (SyntaxError, ValueError):
        assert problem is not None
    else:
        assert problem is None


@pytest.mark.parametrize("path", ["../a.py", "/tmp/a.py", "a.txt", "a", "", "sub/", "a.py/b.py"])
async def test_other_places_and_other_files_are_refused(place: Place, path: str) -> None:
    (place.step / "a.py").touch()
    result = await write(place, path, "x = 1\n")
    assert result.outcome is ToolOutcome.ERROR
    assert files(place) == ["a.py"]


async def test_a_link_does_not_lead_a_write_out_of_the_step(place: Place) -> None:
    outside = place.root / "outside.py"
    outside.write_text("safe")
    (place.step / "a.py").symlink_to(outside)
    (place.step / "up").symlink_to(place.root)
    for path in ("a.py", "up/outside.py", "up/new.py"):
        assert (await write(place, path, "x = 1\n")).outcome is ToolOutcome.ERROR
    assert outside.read_text() == "safe"
    assert not (place.root / "new.py").exists()


async def test_a_hard_link_to_a_file_outside_is_cut_and_not_written_through(place: Place) -> None:
    outside = place.root / "outside.py"
    outside.write_text("safe")
    Path(place.step / "a.py").hardlink_to(outside)
    assert (await write(place, "a.py", "x = 1\n")).outcome is ToolOutcome.OK
    assert outside.read_text() == "safe"


async def test_too_much_is_refused(place: Place) -> None:
    result = await write(place, "a.py", "#" * 1_000_001)
    assert "1,000,001 characters; the limit is 1,000,000" in result.text
    assert files(place) == []
