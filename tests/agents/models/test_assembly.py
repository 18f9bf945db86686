"""Tool calls from the pieces of a stream, whatever a provider leaves out."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models.assembly import ThoughtAssembly, ToolCallAssembly


def piece(arguments: str, index: int | None = 0, identity: str | None = None, name: str | None = None) -> Any:
    return SimpleNamespace(index=index, id=identity, function=SimpleNamespace(name=name, arguments=arguments))


def assembled(*chunks: list[Any]) -> list[tuple[str, str, str]]:
    assembly = ToolCallAssembly()
    for chunk in chunks:
        assembly.take(chunk)
    return [(call.id, call.name, "".join(call.arguments)) for call in assembly.calls]


def test_pieces_with_the_same_index_are_one_call() -> None:
    assert assembled([piece("", 0, "a", "bash")], [piece('{"x"')], [piece(": 1}")]) == [("a", "bash", '{"x": 1}')]


def test_calls_that_come_in_turns_are_kept_apart() -> None:
    chunks = [[piece("1", 0, "a", "x")], [piece("2", 1, "b", "y")], [piece("3", 0)], [piece("4", 1)]]
    assert assembled(*chunks) == [("a", "x", "13"), ("b", "y", "24")]


def test_without_an_index_a_new_id_begins_a_new_call() -> None:
    chunks = [[piece("1", None, "a", "x")], [piece("2", None, "b", "y")], [piece("3", None)]]
    assert assembled(*chunks) == [("a", "x", "1"), ("b", "y", "23")]
    assert assembled([piece("1", None, "a", "x"), piece("2", None, "b", "y")]) == [("a", "x", "1"), ("b", "y", "2")]


def test_the_same_id_twice_is_two_calls_where_the_index_says_so() -> None:
    assert assembled([piece("1", 0, "a", "x"), piece("2", 1, "a", "x")]) == [("a", "x", "1"), ("a", "x", "2")]


def test_a_call_without_a_name_or_an_id_is_kept() -> None:
    assert assembled([piece("{}", 0)]) == [("", "", "{}")]


def test_an_id_that_is_repeated_in_every_piece_begins_nothing_new() -> None:
    assert assembled([piece("1", 0, "a", "x")], [piece("2", 0, "a", "x")]) == [("a", "x", "12")]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.text(max_size=5)), max_size=30),
    st.booleans(),
)
def test_nothing_of_the_arguments_is_lost_however_they_are_cut(pieces: list[tuple[int, str]], named: bool) -> None:
    assembly = ToolCallAssembly()
    heard: dict[int, str] = {}
    for index, text in pieces:
        for delta in assembly.take([piece(text, index, f"id-{index}" if named else None)]):
            heard[delta.index] = heard.get(delta.index, "") + delta.text
    order = list(dict.fromkeys(index for index, _ in pieces))
    expected = ["".join(text for at, text in pieces if at == index) for index in order]
    assert ["".join(call.arguments) for call in assembly.calls] == expected
    assert [heard[place] for place in range(len(expected))] == expected


def signed(thinking: str, signature: str) -> dict[str, str]:
    return {"type": "thinking", "thinking": thinking, "signature": signature}


@pytest.mark.parametrize("last", ["Where is it?", "is it?", ""], ids=["all again", "the rest", "nothing"])
def test_a_signed_thought_has_its_text_once_whatever_comes_with_the_signature(last: str) -> None:
    assembly = ThoughtAssembly()
    pieces = ["Where ", "is it?"] if last != "is it?" else ["Where "]
    for piece in pieces:
        assembly.take([{"type": "thinking", "thinking": piece}])
    assembly.take([signed(last, "s1")])
    assembly.take([{"type": "redacted_thinking", "data": "x"}])
    assembly.take([signed("Here.", "s2")])
    assert assembly.blocks == [
        signed("Where is it?", "s1"),
        {"type": "redacted_thinking", "data": "x"},
        signed("Here.", "s2"),
    ]
