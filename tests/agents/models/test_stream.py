"""The file into which a reply streams: what is written piece by piece reads as the reply so far."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agents.models.gateway import Delta
from agents.models.stream import WRITE_SECONDS, ReplyProgress, StreamReader, StreamWriter
from agents.secrets import Redactor

deltas = st.lists(
    st.one_of(
        st.builds(Delta, st.sampled_from(["text", "reasoning"]), st.text()),
        st.builds(Delta, st.just("tool"), st.text(), st.integers(0, 3), st.sampled_from(["", "bash"])),
    )
)


class Clock:
    """Goes on by ``step`` seconds each time somebody looks."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@given(deltas, st.floats(0, 2 * WRITE_SECONDS))
def test_all_that_was_heard_can_be_read_at_the_end(tmp_path_factory, heard: list[Delta], step: float) -> None:
    path = tmp_path_factory.mktemp("calls") / "000001.stream"
    writer, reader = StreamWriter(path, clock=Clock(step)), StreamReader(path)
    for delta in heard:
        writer.heard(delta)
        reader.read()
    writer.close()
    reader.read()
    progress = reader.progress
    assert progress.text == "".join(d.text for d in heard if d.kind == "text")
    assert progress.reasoning == "".join(d.text for d in heard if d.kind == "reasoning")
    tools = sorted({d.index for d in heard if d.kind == "tool"})
    assert [tool.arguments for tool in progress.tools] == [
        "".join(d.text for d in heard if d.kind == "tool" and d.index == index) for index in tools
    ]


def test_pieces_of_one_kind_are_written_together_and_the_first_one_at_once(tmp_path: Path) -> None:
    path = tmp_path / "000001.stream"
    writer = StreamWriter(path, clock=Clock(WRITE_SECONDS / 100))
    for _ in range(50):
        writer.heard(Delta("text", "x"))
    assert len(path.read_bytes().splitlines()) == 1
    writer.close()
    assert len(path.read_bytes().splitlines()) == 2


def test_what_a_failed_attempt_said_is_void(tmp_path: Path) -> None:
    writer, reader = StreamWriter(tmp_path / "s"), StreamReader(tmp_path / "s")
    writer.heard(Delta("text", "wrong"))
    writer.heard(Delta("tool", "{", 0, "bash"))
    writer.again()
    reader.read()
    assert reader.progress == ReplyProgress()
    assert reader.progress.is_empty
    writer.heard(Delta("text", "right"))
    writer.close()
    reader.read()
    assert reader.progress.text == "right"


def test_a_torn_line_waits_and_a_line_of_another_version_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(b'{"kind": "mood", "text": "?"}\n[1]\nnonsense\n{"kind": "text", "text": "a"}\n{"kind": "te')
    reader = StreamReader(path)
    assert reader.read()
    assert reader.progress.text == "a"
    with path.open("ab") as file:
        file.write(b'xt", "text": "b"}\n')
    assert reader.read()
    assert reader.progress.text == "ab"
    assert not reader.read()


def test_a_folder_that_is_gone_costs_the_picture_only(tmp_path: Path) -> None:
    writer = StreamWriter(tmp_path / "gone" / "s")
    writer.heard(Delta("text", "x"))
    writer.again()
    writer.close()
    assert not StreamReader(tmp_path / "gone" / "s").read()


@given(st.lists(st.integers(0, 40), max_size=6), st.floats(0, 2 * WRITE_SECONDS))
def test_a_secret_that_comes_in_pieces_is_never_in_the_file(tmp_path_factory, cuts: list[int], step: float) -> None:
    secret = "sk-canary-0123456789"
    said = f"the key is {secret}, so"
    path = tmp_path_factory.mktemp("calls") / "000001.stream"
    writer = StreamWriter(path, Redactor({"KEY": secret}), Clock(step))
    at = sorted({0, len(said), *(min(cut, len(said)) for cut in cuts)})
    for start, end in pairwise(at):
        writer.heard(Delta("text", said[start:end]))
    writer.close()
    assert secret not in path.read_text()
    reader = StreamReader(path)
    reader.read()
    assert reader.progress.text == "the key is [KEY], so"
