"""A reply is followed while it streams, and of a long one only what a screen can show is kept."""

import json
from pathlib import Path

from agents.models.gateway import Delta
from agents.models.stream import HEAD, KEPT, ReplyProgress, StreamReader, StreamWriter


def streamed(path: Path, *deltas: Delta) -> None:
    writer = StreamWriter(path)
    for delta in deltas:
        writer.heard(delta)
    writer.close()


def test_what_is_written_is_read_and_nothing_is_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "000001.stream"
    reader = StreamReader(path)
    assert not reader.read(), "there is no file yet"
    streamed(path, Delta("reasoning", "hm"), Delta("text", "I "), Delta("text", "plan"))
    assert reader.read()
    assert not reader.read()
    assert reader.progress == ReplyProgress(text="I plan", reasoning="hm", size=8)
    streamed(path, Delta("tool", "{", 1, "bash"), Delta("tool", "{}", 0, "write_python"), Delta("tool", "}", 1))
    assert reader.read()
    assert [(tool.name, tool.arguments) for tool in reader.progress.tools] == [("write_python", "{}"), ("bash", "{}")]


def test_a_torn_line_waits_and_a_line_of_another_version_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    reader = StreamReader(path)
    strange = ["null", "[1]", "{}", "not json", '{"kind": "tool", "index": "x"}', '{"kind": "smell", "text": "x"}']
    path.write_text("\n".join([*strange, '{"kind": "text", "text": "a"}', '{"kind": "te']))
    assert reader.read()
    assert reader.progress.text == "a"
    with path.open("a") as file:
        file.write('xt", "text": "b"}\n')
    assert reader.read()
    assert reader.progress.text == "ab"


def test_what_came_before_another_attempt_is_void(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    reader = StreamReader(path)
    streamed(path, Delta("text", "half"), Delta("tool", "{", name="bash"))
    writer = StreamWriter(path)
    writer.again()
    writer.close()
    assert reader.read()
    assert reader.progress.is_empty
    assert reader.progress.size == 0


def test_of_megabytes_only_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    piece = "x" * 1_000
    with path.open("w") as file:
        for number in range(3_000):
            for line in ({"kind": "text"}, {"kind": "tool", "index": 0, "name": "bash"}):
                file.write(json.dumps({**line, "text": f"{number:04d}{piece}"}) + "\n")
    reader = StreamReader(path)
    assert reader.read()
    progress, tool = reader.progress, reader.progress.tools[0]
    assert len(progress.text) == len(tool.arguments) == KEPT
    assert tool.head.startswith("0000x")
    assert len(tool.head) == HEAD
    assert tool.is_cut
    assert f"2999{piece}" in progress.text
    assert progress.size == 2 * tool.size == 2 * 3_000 * 1_004
