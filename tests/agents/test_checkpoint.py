"""A checkpoint saves reading, and never changes what a reader learns."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import checkpoint
from agents import events as ev
from agents.checkpoint import NAME, Checkpoint, CheckpointWriter, load_state
from agents.errors import UserError
from agents.fold import fold
from agents.journal import JournalReader, JournalWriter
from agents.recorder import Recorder
from agents.state import RunState
from tests.agents.test_fold import any_event
from tests.support import journals


def _fill(journal: Path, events: Sequence[ev.EventBase]) -> tuple[RunState, JournalReader]:
    writer = JournalWriter(journal, "r")
    for event in events:
        writer.write(event)
    writer.close()
    reader = JournalReader(journal)
    return fold(reader.read_all()), reader


def _keep(journal: Path, state: RunState, reader: JournalReader) -> Path:
    CheckpointWriter(journal, reader, state.last_seq, -1).close(state, reader.offset)
    return journal.with_name(NAME)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(any_event, max_size=40), st.integers(0, 40))
def test_a_checkpoint_at_any_place_and_the_rest_fold_to_the_same_state(
    tmp_path: Path, events: list[ev.EventBase], place: int
) -> None:
    journal = tmp_path / "events.jsonl"
    for path in (journal, tmp_path / NAME):
        path.unlink(missing_ok=True)
    before, reader = _fill(journal, events[:place])
    _keep(journal, before, reader)
    whole, _ = _fill(journal, events[place:])
    state, rest = load_state(journal)
    assert state == before
    assert fold(rest.read_all(), state) == whole
    assert rest.lines == whole.last_seq + 1


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    reader = JournalReader(run.folder.journal)
    state = fold(reader.read_all())
    _keep(run.folder.journal, state, reader)
    again, rest = load_state(run.folder.journal)
    assert again == state
    assert list(rest.read_all()) == []


def _other_shape(kept: dict[str, object]) -> None:
    kept["shape"] = "0" * 64


def _other_run(kept: dict[str, object]) -> None:
    kept["run_id"] = "another"


def _other_journal(kept: dict[str, object]) -> None:
    kept["proof"] = "0" * 64


def _beyond_the_end(kept: dict[str, object]) -> None:
    kept["offset"] = 10**9


def _no_state(kept: dict[str, object]) -> None:
    del kept["state"]


@pytest.mark.parametrize("spoil", [_other_shape, _other_run, _other_journal, _beyond_the_end, _no_state])
def test_a_checkpoint_that_does_not_belong_here_is_as_good_as_none(tmp_path: Path, spoil) -> None:
    run = journals.finished_run(tmp_path)
    reader = JournalReader(run.folder.journal)
    whole = fold(reader.read_all())
    path = _keep(run.folder.journal, whole, reader)
    kept = json.loads(path.read_text())
    spoil(kept)
    path.write_text(json.dumps(kept, separators=(",", ":")))
    state, rest = load_state(run.folder.journal)
    assert state == RunState()
    assert fold(rest.read_all(), state) == whole


@pytest.mark.parametrize("text", ["", "{", "null", "[1]", "\x00\xff", '{"shape":'])
def test_a_broken_or_truncated_checkpoint_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    journal = tmp_path / "events.jsonl"
    whole, reader = _fill(journal, [ev.RunStarted(dataset="d", model="m", iterations=1)])
    path = _keep(journal, whole, reader)
    good = path.read_text()
    for spoilt in (text, good[: len(good) // 2], good[:-1]):
        path.write_text(spoilt)
        state, rest = load_state(journal)
        assert state == RunState()
        assert fold(rest.read_all(), state) == whole
    path.unlink()
    path.mkdir()
    assert load_state(journal)[0] == RunState()


def test_a_journal_that_was_written_anew_takes_no_state_of_the_old_one(tmp_path: Path) -> None:
    journal = tmp_path / "events.jsonl"
    events = [ev.RunStarted(dataset="d", model="m", iterations=1), ev.IterationStarted(iteration=0)]
    _keep(journal, *_fill(journal, events))
    journal.unlink()
    whole, _ = _fill(journal, events)
    state, rest = load_state(journal)
    assert state == RunState()
    assert fold(rest.read_all(), state) == whole


def test_damage_before_a_checkpoint_is_found_by_who_reads_the_whole_and_no_engine_goes_on(tmp_path: Path) -> None:
    journal = tmp_path / "events.jsonl"
    events = [ev.RunStarted(dataset="d", model="m", iterations=1), *(ev.Held(reason="x" * 100) for _ in range(100))]
    kept, reader = _fill(journal, events)
    _keep(journal, kept, reader)
    assert load_state(journal, whole=True)[0] == kept
    data = journal.read_bytes()
    begin = data.index(b"\n") + 1
    journal.write_bytes(data[:begin] + bytes(100) + data[begin + 100 :])
    assert load_state(journal)[0] == kept, "who only looks reads the checkpoint and the rest"
    state, rest = load_state(journal, whole=True)
    assert state == RunState()
    fold(rest.read_all(), state)
    assert rest.damage == f"{journal}, line 2: is no event"
    with pytest.raises(UserError, match="line 2: is no event, and what follows cannot be relied upon"):
        Recorder(journal, "r")


def test_the_digest_of_a_growing_journal_is_that_of_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_PIECE_BYTES", 7)
    journal = tmp_path / "events.jsonl"
    for _ in range(2):  # the second engine takes the journal up
        recorder = Recorder(journal, "r")
        for number in range(4):
            recorder.emit(ev.Held(reason=str(number)))
            recorder._checkpoints.write(recorder.state, recorder._writer.size)
            recorder._checkpoints._join()
            kept = Checkpoint.model_validate_json((tmp_path / NAME).read_text())
            assert kept.digest == hashlib.sha256(journal.read_bytes()).hexdigest()
        recorder.close()


def test_an_engine_leaves_a_checkpoint_and_the_next_one_goes_on_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "EVERY", 10)
    journal = tmp_path / "events.jsonl"
    recorder = Recorder(journal, "r")
    recorder.emit(ev.RunStarted(dataset="d", model="m", iterations=1))
    for number in range(25):
        recorder.emit(ev.Held(reason=str(number)))
    recorder.close()
    kept = Checkpoint.model_validate_json((tmp_path / NAME).read_text())
    assert (kept.seq, kept.offset, kept.lines) == (25, journal.stat().st_size, 26)
    again = Recorder(journal, "r")
    assert again.state == recorder.state
    again.emit(ev.Released())
    assert again.state.last_seq == 26
    again.close()


def test_a_checkpoint_that_cannot_be_written_stops_no_engine(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    recorder = Recorder(tmp_path / "events.jsonl", "r")
    recorder.emit(ev.RunStarted(dataset="d", model="m", iterations=1))
    recorder.close()
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
