"""The worker of a replay, by a clock that only moves when it is told to."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from textual.message import Message

from agentomics_tui.recorded_reply import RecordedReply
from agentomics_tui.replay_watcher import SPEEDS, ReplayWatcher
from agents.fold import fold
from agents.journal import JournalReader
from agents.models.stream import ReplyProgress
from agents.run_folder import RunFolder
from agents.vocabulary import StepName
from screens.messages import (
    EngineSeen,
    EventsRead,
    OutputRead,
    ReplayJumped,
    ReplayMoved,
    ReplayPhase,
    ReplayWish,
    ReplyRead,
)
from tests.support import journals
from tests.support.watching import with_engine

M = TypeVar("M", bound=Message)


@dataclass
class Playing:
    """A watcher whose thread is the test."""

    folder: RunFolder
    posted: list[Message] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.watcher = ReplayWatcher(self.folder, self.posted.append, lambda: self.seconds)
        self.watcher.step()

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds
        self.watcher.step()

    def wish(self, *wishes: ReplayWish) -> None:
        for wish in wishes:
            self.watcher._obey(wish)

    def all(self, kind: type[M]) -> list[M]:
        return [message for message in self.posted if isinstance(message, kind)]

    @property
    def place(self) -> ReplayMoved:
        return self.all(ReplayMoved)[-1]

    @property
    def events(self) -> int:
        return sum(len(message.events) for message in self.all(EventsRead))


def whole(folder: RunFolder) -> list[object]:
    return list(JournalReader(folder.journal).read_all())


def test_events_come_in_the_journals_own_time(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    playing = Playing(run.folder)
    assert playing.events == 1, "the first one begins it"
    playing.pass_(1.0)
    assert playing.events == 2, "the dataset was checked after 0.8 s"
    assert playing.place.moment == journals.START.replace(second=1)
    assert playing.place.phase is ReplayPhase.PLAYING


def test_all_that_was_played_is_the_whole_journal_whatever_the_steps(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    playing = Playing(run.folder)
    playing.wish(*[ReplayWish.FASTER] * (len(SPEEDS) + 2))
    assert playing.place.speed == 1000
    playing.pass_(0.1)
    assert 1 < playing.events < len(whole(run.folder))
    for _ in range(50):
        playing.pass_(0.1)
    posted = [event for message in playing.all(EventsRead) for event in message.events]
    assert posted == whole(run.folder)
    assert (playing.place.phase, playing.place.share) == (ReplayPhase.END, 1.0)


def test_a_pause_stands_still_and_the_speed_is_kept(tmp_path: Path) -> None:
    playing = Playing(journals.finished_run(tmp_path).folder)
    playing.wish(ReplayWish.FASTER, ReplayWish.FASTER, ReplayWish.SLOWER, ReplayWish.PLAY_OR_PAUSE)
    playing.pass_(500)
    assert playing.events == 1
    assert (playing.place.phase, playing.place.speed, playing.place.share) == (ReplayPhase.PAUSED, 2, 0.0)
    playing.wish(ReplayWish.PLAY_OR_PAUSE)
    playing.pass_(0.5)
    assert playing.events == 2


def test_a_jump_posts_the_state_of_then_and_goes_on_from_there(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    playing = Playing(run.folder)
    playing.wish(*[ReplayWish.NEXT_ITERATION] * 3)
    state = playing.all(ReplayJumped)[-1].state
    assert [len(jump.state.iterations) for jump in playing.all(ReplayJumped)] == [1, 2, 3]
    playing.posted.clear()
    playing.wish(ReplayWish.PREVIOUS_ITERATION)
    back = playing.all(ReplayJumped)[-1].state
    assert (len(back.iterations), back.last_seq < state.last_seq) == (2, True)
    playing.posted.clear()
    playing.wish(*[ReplayWish.FASTER] * len(SPEEDS))
    for _ in range(50):
        playing.pass_(0.1)
    follow = [event for message in playing.all(EventsRead) for event in message.events]
    assert fold(follow, back) == fold(JournalReader(run.folder.journal).read_all())


def test_home_and_end_go_there_and_space_at_the_end_begins_anew(tmp_path: Path) -> None:
    playing = Playing(journals.finished_run(tmp_path).folder)
    playing.wish(ReplayWish.END)
    assert playing.all(ReplayJumped)[-1].state.status.is_over
    assert playing.place.phase is ReplayPhase.END
    playing.wish(ReplayWish.PLAY_OR_PAUSE)
    assert (playing.place.phase, playing.place.share) == (ReplayPhase.PLAYING, 0.0)
    playing.wish(ReplayWish.END, ReplayWish.START)
    assert playing.place.share == 0.0


def test_a_tool_prints_as_much_as_its_share_of_time_in_whole_lines(tmp_path: Path) -> None:
    run = journals.stage(tmp_path)
    run.begin()
    run.start_step(0, StepName.DATA_EXPLORATION)
    run.start_tool(0, StepName.DATA_EXPLORATION, "bash", "seq", "one\ntwo\nthree\nfour\n")
    run.end_tool(0, StepName.DATA_EXPLORATION, "bash", seconds=4)
    playing = Playing(run.folder)
    playing.wish(ReplayWish.END)
    assert playing.all(OutputRead)[-1].text == "one\ntwo\nthree\nfour\n"
    playing.wish(ReplayWish.START)
    playing.posted.clear()
    playing.pass_(run.clock.now.timestamp() - journals.START.timestamp() - 2)
    assert playing.all(OutputRead)[-1].text == "one\ntwo\n"


def test_a_reply_comes_while_its_call_runs(tmp_path: Path) -> None:
    run = journals.asking_run(tmp_path)
    playing = Playing(run.folder)
    record = {"reply": {"content": "I look.", "reasoning": "Hm.", "tool_calls": None}}
    for path in run.folder.model_calls.glob("*.json"):
        path.write_text(json.dumps(record))
    playing.wish(ReplayWish.NEXT_ITERATION)
    for _ in range(40):
        playing.pass_(0.05)
    sizes = [message.progress.size for message in playing.all(ReplyRead)]
    assert max(sizes) > 0
    assert all(reply.progress.text in "I look." for reply in playing.all(ReplyRead))


def test_a_recorded_reply_comes_in_the_order_in_which_models_write() -> None:
    given = {"content": "text", "reasoning": "why", "tool_calls": [{"function": {"name": "bash", "arguments": "{}x"}}]}
    reply = RecordedReply.model_validate(given)
    assert reply.progress(0.3) == ReplyProgress(reasoning="why", size=3)
    assert reply.progress(0.5) == ReplyProgress(text="te", reasoning="why", size=5)
    done = reply.progress(1.0)
    assert (done.text, done.tools[0].name, done.tools[0].arguments, done.size) == ("text", "bash", "{}x", 10)


def test_a_run_that_goes_on_is_followed_live_from_its_end_on(tmp_path: Path) -> None:
    run = with_engine(journals.running_run(tmp_path))
    playing = Playing(run.folder)
    playing.wish(ReplayWish.END)
    assert playing.place.phase is ReplayPhase.LIVE
    before = playing.events
    run.end_tool(3, StepName.MODEL_TRAINING, "run_python", seconds=90)
    playing.pass_(0.1)
    assert playing.events == before + 1, "at once, not after the 90 seconds"
    assert playing.place.phase is ReplayPhase.LIVE
    playing.wish(ReplayWish.PLAY_OR_PAUSE)
    assert playing.place.phase is ReplayPhase.PAUSED
    run.end_step(3, StepName.MODEL_TRAINING)
    playing.pass_(1)
    assert playing.events == before + 1
    playing.wish(ReplayWish.PLAY_OR_PAUSE)
    playing.pass_(1)
    assert (playing.events, playing.place.phase) == (before + 2, ReplayPhase.LIVE)


def test_a_run_without_an_engine_ends_with_saying_so(tmp_path: Path) -> None:
    playing = Playing(journals.running_run(tmp_path).folder)
    assert playing.all(EngineSeen)[-1].alive, "then there was one"
    playing.wish(ReplayWish.END)
    assert not playing.all(EngineSeen)[-1].alive
    assert playing.place.phase is ReplayPhase.END
    playing.wish(ReplayWish.START)
    assert playing.all(EngineSeen)[-1].alive


def test_nothing_of_the_run_is_touched(tmp_path: Path) -> None:
    run = journals.finished_run(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in run.folder.root.rglob("*")}
    playing = Playing(run.folder)
    playing.wish(*ReplayWish)
    assert {path: path.stat().st_mtime_ns for path in run.folder.root.rglob("*")} == before
