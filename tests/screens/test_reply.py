"""A reply that is still being written can be read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models.stream import HEAD, KEPT, ReplyProgress, ToolProgress
from screens.reply import readable, reply_parts


def written(name: str, text: str) -> ToolProgress:
    return ToolProgress(name, text[-KEPT:], text[:HEAD], len(text))


def told(name: str, arguments: object, *, but: int = 0) -> tuple[str, str]:
    """What is shown of a call of which the last ``but`` characters have yet to come."""
    text = json.dumps(arguments)
    return readable(written(name, text[: len(text) - but]))


def test_a_script_is_shown_as_code() -> None:
    code = "def f():\n\treturn 'ä\\n'\n"
    assert told("write_python", {"path": "train.py", "content": code}, but=2) == ("write_python  train.py", code)


def test_a_script_is_shown_as_far_as_it_has_come_even_within_an_escape() -> None:
    text = json.dumps({"path": "a.py", "content": "x = 1\ny = 2"})
    at = text.index("\\n")
    assert readable(written("write_python", text[: at + 1])) == ("write_python  a.py", "x = 1")
    assert readable(written("write_python", text[:12])) == ("write_python  a.", "")


def test_one_argument_stands_alone_and_several_with_their_names() -> None:
    assert told("bash", {"command": "ls -l\nwc -l x"}) == ("bash", "ls -l\nwc -l x")
    assert told("run_python", {"path": "a.py", "arguments": ["--k", "3"]}) == (
        "run_python  a.py",
        "arguments:\n  - --k\n  - 3",
    )
    output = {"summary": "two\nlines", "rows": 3, "nested": {"deep": [True, None]}, "none": []}
    assert told("final_result", output)[1].split("\n") == [
        *("summary:", "  two", "  lines", "rows: 3"),
        *("nested:", "  deep:", "    - true", "    - null", "none:"),
    ]


def test_of_a_script_that_is_cut_the_end_is_code_from_a_whole_line_on() -> None:
    code = "".join(f"value_{number} = '\\\\n'\n" for number in range(2_000))
    head, text = told("write_python", {"path": "model_training/train.py", "content": code}, but=2)
    assert head == "write_python  model_training/train.py"
    lines = text.split("\n")
    assert lines[-2] == "value_1999 = '\\\\n'"
    assert all(line.startswith("value_") for line in lines[:-1])


@pytest.mark.parametrize(
    "text", ["", "  ", "null", "[1, 2", "no json", '{"a": "line\nbreak', '{"a": "\\q"}', "{" * 400]
)
def test_what_is_no_json_is_shown_as_it_is(text: str) -> None:
    head, shown = readable(written("bash", text))
    assert head == "bash"
    assert shown or text.strip() in {"", "null"} or text.startswith("{")


def test_a_number_that_python_will_not_write_is_no_reason_to_fail() -> None:
    digits = "9" * 6_000
    assert digits in readable(written("bash", f'{{"a": {digits}, "b": 1}}'))[1]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=6), anything, max_size=4), st.integers(0, 200), st.booleans())
def test_any_beginning_of_any_arguments_is_readable(arguments: dict, length: int, ascii_only: bool) -> None:
    text = json.dumps(arguments, ensure_ascii=ascii_only)[:length]
    for part in reply_parts(ReplyProgress(tools=(written("tool\x1b[2J", text),))):
        assert "\x1b" not in part.head + part.text
        assert "\n" not in part.head


@given(st.text(alphabet='\\"n{}:,ab\n', max_size=60), st.integers(1, 60))
def test_any_piece_out_of_the_middle_is_readable(text: str, kept: int) -> None:
    readable(ToolProgress("bash", text[-kept:], text[:4], len(text) + 5))


def test_the_parts_stand_in_the_order_in_which_they_come_and_blank_ones_are_left_out() -> None:
    tools = (written("bash", '{"command": "ls"}'), written("bash", ""))
    parts = reply_parts(ReplyProgress(text="I look.\x1b[31m", reasoning=" \n", tools=tools))
    assert [(part.label, part.head, part.text) for part in parts] == [
        ("says", "", "I look."),
        ("writes", "bash", "ls"),
        ("writes", "bash", ""),
    ]
