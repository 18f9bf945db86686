"""The workers read real run folders that change under them, and post what they read."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from textual.message import Message

from agentomics_tui import worker
from agentomics_tui.library_watcher import LibraryWatcher
from agentomics_tui.tail import read_end
from agentomics_tui.worker import RunWatcher
from agents import control
from agents.checkpoint import CheckpointWriter
from agents.events import Event, RunResumed
from agents.fold import fold
from agents.journal import JournalReader
from agents.lock import EngineLock
from agents.models.gateway import Delta
from agents.models.stream import KEPT, ReplyProgress
from agents.run_folder import RunFolder
from agents.run_summary import RunSummary
from agents.vocabulary import RunStatus, StepName
from screens.messages import (
    CommandFailed,
    EngineSeen,
    EventsRead,
    JournalRead,
    OutputRead,
    PulseSeen,
    ReadingSeen,
    ReplyRead,
    RunsListed,
    StateRestored,
)
from tests.support import journals
from tests.support.watching import with_pulse

_SILENCE_SECONDS = 300
"""Far more than can pass between two messages. A new engine says nothing while it loads litellm and pandas: seconds on
an idle machine, most of a minute where several do so on few processors."""


class Received:
    """What a worker has posted, for a test that waits for it."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Message] = SimpleQueue()
        self.all: list[Message] = []

    def post(self, message: Message) -> None:
        self._queue.put(message)

    def until(self, true: Callable[[], bool]) -> None:
        while not true():
            try:
                self.all.append(self._queue.get(timeout=_SILENCE_SECONDS))
            except Empty:
                raise AssertionError(f"it never came; last: {self.all[-3:]}") from None

    def of(self, kind: type[Message]) -> list:
        return [message for message in self.all if isinstance(message, kind)]

    @property
    def events(self) -> list[Event]:
        return [event for message in self.of(EventsRead) for event in message.events]


@contextmanager
def watching(folder: RunFolder) -> Iterator[tuple[RunWatcher, Received]]:
    received = Received()
    watcher = RunWatcher(folder, received.post, poll=0.01)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        yield watcher, received
    finally:
        watcher.stop()
        thread.join(timeout=20)
        assert not thread.is_alive()


def test_a_finished_run_arrives_whole_in_order_and_caught_up(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    with watching(run.folder) as (_, received):
        received.until(lambda: any(message.caught_up for message in received.of(EventsRead)))
    assert [event.seq for event in received.events] == list(range(len(run.written)))
    assert fold(received.events).status is RunStatus.FINISHED


def test_a_measurement_is_posted_once_and_no_longer_believed_when_it_stays_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "STALE_SECONDS", 0.2)
    monkeypatch.setattr(worker, "_LOCK_SECONDS", 0.02)
    run = with_pulse(journals.running_run(tmp_path), "tool", 192, 4, idle=1)
    with watching(run.folder) as (_, received):
        received.until(lambda: len(received.of(PulseSeen)) == 2)
        first, then = received.of(PulseSeen)
        assert first.pulse is not None
        assert (first.pulse.seconds, then.pulse) == (192, None), "an engine that was stopped measures nothing"
        run.folder.pulse.write_text(first.pulse.model_copy(update={"seconds": 194}).model_dump_json())
        received.until(lambda: len(received.of(PulseSeen)) == 3)
        assert received.of(PulseSeen)[-1].pulse.seconds == 194


def test_a_journal_of_some_chunks_arrives_in_them_and_the_last_is_caught_up(tmp_path: Path) -> None:
    run = journals.big_run(tmp_path, 2_500)
    with watching(run.folder) as (_, received):
        received.until(lambda: any(message.caught_up for message in received.of(EventsRead)))
    chunks = received.of(EventsRead)
    assert len(chunks) >= run.folder.journal.stat().st_size // worker.CHUNK_BYTES
    assert [message.caught_up for message in chunks] == [False] * (len(chunks) - 1) + [True]
    assert len(received.events) == len(run.written)


def test_a_long_journal_arrives_folded_and_what_follows_as_events(tmp_path: Path) -> None:
    run = journals.big_run(tmp_path, 6_000)
    whole = fold(JournalReader(run.folder.journal).read_all())
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(StateRestored)))
        [restored] = received.of(StateRestored)
        assert restored.state == whole
        assert received.events == []
        assert [0 < message.part < 1 for message in received.of(JournalRead)]
        run.finish(RunStatus.STOPPED, "enough")
        received.until(lambda: bool(received.events))
        assert fold(received.events, restored.state).status is RunStatus.STOPPED


def test_a_run_with_a_checkpoint_arrives_folded_with_the_output_and_the_reply_of_its_open_calls(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    reader = JournalReader(run.folder.journal)
    state = fold(reader.read_all())
    CheckpointWriter(run.folder.journal, reader, state.last_seq, -1).close(state, reader.offset)
    open_tool = state.running_tool_call
    assert open_tool is not None
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(OutputRead)))
    assert received.of(StateRestored)[0].state == state
    assert received.of(OutputRead)[0].call == open_tool.call


_WRITER = """
import sys
from pathlib import Path
from tests.support import journals
journals.finished_run(Path(sys.argv[1]), "live")
"""


def test_a_journal_that_another_process_writes_is_followed_to_its_end(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], cwd=root)
    while not (tmp_path / "live").is_dir():
        assert process.poll() in {None, 0}
    with watching(RunFolder(tmp_path / "live")) as (_, received):
        received.until(lambda: fold(received.events).status is RunStatus.FINISHED)
    assert process.wait() == 0
    assert [event.seq for event in received.events] == list(range(len(received.events)))


def test_a_run_without_a_journal_is_waited_for(tmp_path: Path) -> None:
    run = journals.stage(tmp_path)
    run.folder.journal.unlink()
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(EventsRead)))
        assert received.events == []
        run.writer.close()
        other = journals.JournalWriter(run.folder.journal, run.folder.run_id, run.clock)
        other.write(journals.ev.RunStarted(dataset="d", model="m", iterations=1))
        received.until(lambda: len(received.events) == 1)


def test_a_folder_that_cannot_be_reached_is_told_once_and_watched_on_when_it_can(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(EngineSeen)))
        run.folder.root.rename(tmp_path / "moved")
        received.until(lambda: bool(received.of(ReadingSeen)))
        (tmp_path / "moved").rename(run.folder.root)
        received.until(lambda: len(received.of(ReadingSeen)) == 2)
        run.finish(RunStatus.STOPPED, "enough")
        received.until(lambda: fold(received.events).status is RunStatus.STOPPED)
    problems = [message.problem for message in received.of(ReadingSeen)]
    assert problems == [f"{run.folder.run_id}: No such file or directory", ""]


def test_a_journal_that_cannot_be_read_is_told_and_read_when_it_can(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    aside = tmp_path / "aside"
    run.folder.journal.rename(aside)
    run.folder.journal.mkdir()  # reading it fails whoever runs the test
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(ReadingSeen)))
        assert received.of(ReadingSeen)[0].problem == "events.jsonl: Is a directory"
        run.folder.journal.rmdir()
        aside.rename(run.folder.journal)
        received.until(lambda: fold(received.events).status is RunStatus.RUNNING)


def test_one_unreadable_run_does_not_end_the_library(tmp_path: Path) -> None:
    journals.finished_run(tmp_path, "a-finished")
    broken = journals.stage(tmp_path, "b-broken")
    broken.folder.journal.unlink()
    broken.folder.journal.mkdir()
    received = Received()
    watcher = LibraryWatcher(tmp_path, received.post, poll=0.01)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        received.until(lambda: bool(received.of(RunsListed)) and _known(received)["b-broken"].unreadable != "")
        received.until(lambda: _known(received)["a-finished"].status is RunStatus.FINISHED)
        broken.folder.journal.rmdir()
        received.until(lambda: _known(received)["b-broken"].unreadable == "")
    finally:
        watcher.stop()
        thread.join(timeout=20)
    assert not thread.is_alive()


def test_a_runs_folder_that_cannot_be_listed_is_told_and_keeps_the_list(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    journals.finished_run(runs)
    received = Received()
    watcher = LibraryWatcher(runs, received.post, poll=0.01)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        received.until(lambda: bool(received.of(RunsListed)))
        runs.rename(tmp_path / "moved")
        runs.write_text("no folder")
        received.until(lambda: bool(received.of(ReadingSeen)))
        assert received.of(ReadingSeen)[-1].problem == "runs: Not a directory"
        runs.unlink()
        (tmp_path / "moved").rename(runs)
        received.until(lambda: received.of(ReadingSeen)[-1].problem == "")
    finally:
        watcher.stop()
        thread.join(timeout=20)
    assert not thread.is_alive()


def _known(received: Received) -> dict[str, RunSummary]:
    return {run.run_id: run for run in received.of(RunsListed)[-1].runs}


def test_the_engine_is_told_alive_and_dead_with_its_last_words(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(worker, "_LOCK_SECONDS", 0.0)
    run = journals.running_run(tmp_path)
    lock = EngineLock.acquire(run.folder.lock)
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(EngineSeen)))
        assert received.of(EngineSeen)[-1].alive
        run.folder.engine_log.write_text("Traceback (most recent call last):\nMemoryError: no room\n\n")
        lock.release()
        received.until(lambda: not received.of(EngineSeen)[-1].alive)
        assert received.of(EngineSeen)[-1].last_words == "MemoryError: no room"


def test_the_output_of_the_running_call_is_told_as_it_grows_and_once_more_when_it_ends(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    log = run.folder.tool_calls / f"{run.tools:06d}.log"
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(OutputRead)))
        with log.open("a") as file:
            file.write("epoch 7\n")
        received.until(lambda: received.of(OutputRead)[-1].text.endswith("epoch 7\n"))
        with log.open("a") as file:
            file.write("saved\n")
        run.end_tool(3, StepName.MODEL_TRAINING, "run_python")
        received.until(lambda: received.of(OutputRead)[-1].text.endswith("saved\n"))
        assert received.of(OutputRead)[-1].call == run.tools
        assert received.of(OutputRead)[-1].size == log.stat().st_size


def test_the_reply_of_the_running_model_call_is_told_as_it_comes_and_not_after_its_end(tmp_path: Path) -> None:
    run = journals.asking_run(tmp_path)
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(ReplyRead)))
        assert [(told.call, told.progress.is_empty) for told in received.of(ReplyRead)] == [(run.models, True)]
        run.stream(Delta("text", "I write "))
        received.until(lambda: received.of(ReplyRead)[-1].progress.text == "I write ")
        run.stream(Delta("text", "a script."), Delta("tool", '{"path"', name="write_python"))
        received.until(lambda: bool(received.of(ReplyRead)[-1].progress.tools))
        assert received.of(ReplyRead)[-1].progress.text == "I write a script."
        run.retry_model_call("connection lost")
        received.until(lambda: received.of(ReplyRead)[-1].progress.is_empty)
        said = {"iteration": 3, "step": StepName.MODEL_TRAINING, "seconds": 9, "said": "Done."}
        run.emit(journals.ev.ModelCallFinished(call=run.models, model=run.model, **said))
        received.until(
            lambda: any(event.type == "model_call_finished" and event.said == "Done." for event in received.events)
        )
        count = len(received.of(ReplyRead))
        run.stream(Delta("text", "too late"))
        run.start_model_call(3, StepName.MODEL_TRAINING)
        received.until(lambda: len(received.of(ReplyRead)) > count)
        assert (received.of(ReplyRead)[-1].call, received.of(ReplyRead)[-1].progress.is_empty) == (run.models, True)


def test_who_attaches_late_reads_only_the_reply_that_still_comes_and_little_of_a_long_one(tmp_path: Path) -> None:
    run = journals.asking_run(tmp_path)
    run.stream(*(Delta("reasoning" if number % 2 else "text", "word " * 200) for number in range(4_000)))
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(ReplyRead)))
    (told,) = received.of(ReplyRead)
    assert (told.call, told.progress.size) == (run.models, 4_000 * 1_000)
    assert len(told.progress.text) == len(told.progress.reasoning) == KEPT


def test_the_reply_of_a_policy_that_streams_nothing_is_not_looked_for(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    run.end_tool(3, StepName.MODEL_TRAINING, "run_python")
    run.start_model_call(3, StepName.MODEL_TRAINING)
    with watching(run.folder) as (_, received):
        received.until(lambda: bool(received.of(EngineSeen)))
    assert not received.of(ReplyRead)


def test_a_reply_that_waits_to_be_shown_gives_way_to_a_newer_one() -> None:
    old, new = ReplyRead(1, ReplyProgress(text="a")), ReplyRead(1, ReplyProgress(text="ab"))
    assert new.can_replace(old)
    assert not new.can_replace(OutputRead(1, "", 0))


def test_commands_reach_the_control_folder_in_their_order(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    EngineLock.acquire(run.folder.lock)
    with watching(run.folder) as (watcher, _):
        for command in (control.Pause(), control.SkipStep(), control.Resume()):
            watcher.submit(command)
        watcher.stop()
    names = [control.load(path).command for path in control.pending(run.folder)]
    assert names == ["pause", "skip_step", "resume"]


def test_resuming_a_run_whose_engine_is_gone_starts_another_one(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    with watching(run.folder) as (watcher, received):
        watcher.submit(control.Resume())
        received.until(lambda: any(isinstance(event, RunResumed) for event in received.events))
        received.until(lambda: fold(received.events).status.is_over)  # the staged run's dataset does not exist


def test_a_command_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    run = journals.running_run(tmp_path)
    (run.folder.control / "done").rmdir()
    run.folder.control.rmdir()
    run.folder.control.write_text("no folder")
    with watching(run.folder) as (watcher, received):
        watcher.submit(control.Pause())
        received.until(lambda: bool(received.of(CommandFailed)))
        assert received.of(CommandFailed)[0].command.command == "pause"


def test_the_library_lists_all_runs_newest_first_and_follows_them(tmp_path: Path) -> None:
    journals.finished_run(tmp_path, "a-finished")
    running = journals.running_run(tmp_path, "b-running")
    received = Received()
    watcher = LibraryWatcher(tmp_path, received.post, poll=0.01)
    thread = threading.Thread(target=watcher.run)
    thread.start()
    try:
        received.until(
            lambda: any(
                [run.status for run in message.runs] == [RunStatus.RUNNING, RunStatus.FINISHED]
                for message in received.of(RunsListed)
            )
        )
        running.finish(RunStatus.STOPPED, "enough")
        received.until(lambda: received.of(RunsListed)[-1].runs[0].status is RunStatus.STOPPED)
        journals.stage(tmp_path, "c-new")
        watcher.refresh()
        received.until(lambda: len(received.of(RunsListed)[-1].runs) == 3)
    finally:
        watcher.stop()
        thread.join(timeout=20)
    assert not thread.is_alive()


def test_the_end_of_a_file_starts_with_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    assert read_end(path) == ("", 0)
    path.write_text("first line\nsecond\nthird\n")
    assert read_end(path, 15) == ("second\nthird\n", 24)
    path.write_bytes(b"x" * 50)
    assert read_end(path, 10) == ("x" * 10, 50)
    path.write_bytes(b"\xff\xfe")
    assert read_end(path)[0] == "\ufffd\ufffd"
