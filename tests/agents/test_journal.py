"""The journal keeps every event in order, survives torn lines, and lets readers follow."""

import json
import resource
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.errors import UserError
from agents.events import EVENT, EventBase, NoteReceived, StepStarted, TrainingProgress
from agents.journal import JournalReader, JournalWriter
from agents.recorder import Recorder
from agents.vocabulary import StepName

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)

texts = st.text(max_size=200)
events = st.one_of(
    st.builds(NoteReceived, note_id=texts, text=texts, by=texts),
    st.builds(StepStarted, iteration=st.integers(0, 9), step=st.sampled_from(StepName)),
    st.builds(
        TrainingProgress,
        call=st.integers(1, 9),
        epoch=st.floats(0, 1e6),
        values=st.dictionaries(texts, st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    ),
)


def write(path: Path, *facts: EventBase) -> list[EventBase]:
    writer = JournalWriter(path, "run-1", lambda: NOON)
    try:
        return [writer.write(fact) for fact in facts]
    finally:
        writer.close()


@given(st.lists(events, max_size=12))
def test_what_was_written_is_read_back_in_order_and_stamped(tmp_path_factory: pytest.TempPathFactory, facts) -> None:
    path = tmp_path_factory.mktemp("journal") / "events.jsonl"
    written = write(path, *facts)
    read = list(JournalReader(path).read_all())
    assert read == written
    assert [event.seq for event in read] == list(range(len(facts)))
    assert {(event.run_id, event.time) for event in read} <= {("run-1", NOON)}


@given(st.lists(events, min_size=1, max_size=5), st.data())
def test_a_journal_cut_anywhere_loses_only_the_torn_line(tmp_path_factory: pytest.TempPathFactory, facts, data) -> None:
    path = tmp_path_factory.mktemp("journal") / "events.jsonl"
    write(path, *facts)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    survivors = whole[:cut].count(b"\n")
    assert len(list(JournalReader(path).read_all())) == survivors
    write(path, StepStarted(step=StepName.DATA_SPLIT))
    again = list(JournalReader(path).read_all())
    assert [event.seq for event in again] == list(range(survivors + 1))


def test_a_reader_leaves_a_torn_line_for_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, NoteReceived(note_id="a", text="first"))
    line = path.read_bytes().replace(b'"seq":0', b'"seq":1')
    reader = JournalReader(path)
    assert len(reader.read()) == 1
    with path.open("ab") as file:
        file.write(line[:20])
        file.flush()
        assert reader.read() == []
        file.write(line[20:])
    assert [event.seq for event in reader.read()] == [1]
    assert reader.read() == []


def test_a_reader_waits_for_a_journal_that_does_not_exist_yet(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "events.jsonl")
    assert reader.read() == []
    write(tmp_path / "events.jsonl", NoteReceived(note_id="a", text="b"))
    assert len(reader.read()) == 1


def test_lines_of_another_version_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, NoteReceived(note_id="a", text="b"))
    with path.open("a") as file:
        file.write('{"type": "from_the_future", "seq": 1}\nno json\n')
    write(path.with_name("other"), NoteReceived(note_id="c", text="d"))
    reader = JournalReader(path)
    assert len(list(reader.read_all())) == 1
    assert reader.unreadable == 2


def test_a_line_longer_than_a_chunk_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, NoteReceived(note_id="a", text="x" * 5000), NoteReceived(note_id="b", text="y"))
    reader = JournalReader(path)
    assert [len(event.text) for event in [*reader.read(100), *reader.read(100)]] == [5000, 1]


def test_numbers_that_are_not_finite_never_make_invalid_json(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, TrainingProgress(call=1, epoch=1, values={"loss": float("nan"), "gap": float("inf")}))
    assert json.loads(path.read_text())["values"] == {"loss": None, "gap": None}
    assert EVENT.validate_json(path.read_text()).values == {"loss": None, "gap": None}


def test_a_disk_that_was_full_for_a_moment_costs_the_event_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer = JournalWriter(path, "run-1")
    writer.write(NoteReceived(note_id="a", text="before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 60, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            writer.write(NoteReceived(note_id="b", text="x" * 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    writer.write(NoteReceived(note_id="c", text="after"))
    read = list(JournalReader(path).read_all())
    assert [(event.seq, event.text) for event in read] == [(0, "before"), (1, "after")]


def test_a_spoilt_last_line_is_set_aside_and_the_journal_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, NoteReceived(note_id="a", text="b"))
    with path.open("a") as file:
        file.write("no event\n")
    reader = JournalReader(path)
    list(reader.read_all())
    assert reader.damage == f"{path}, line 2: is no event"
    write(path, NoteReceived(note_id="c", text="d"))
    assert [event.seq for event in JournalReader(path).read_all()] == [0, 1]
    assert path.with_name("events.jsonl.bad-1").read_text() == "no event\n"


@pytest.mark.parametrize("place", ["middle", "last two", "only"])
def test_a_journal_spoilt_elsewhere_is_refused_and_stays_as_it_is(tmp_path: Path, place: str) -> None:
    path = tmp_path / "events.jsonl"
    write(path, NoteReceived(note_id="a", text="b"), NoteReceived(note_id="c", text="d"))
    first, second = path.read_text().splitlines(keepends=True)
    path.write_text({"middle": f"{first}no\n{second}", "last two": f"{first}no\nno\n", "only": "no\n"}[place])
    before = path.read_text()
    with pytest.raises(UserError, match=str(path)):
        Recorder(path, "run-1")
    assert path.read_text() == before
