"""A run folder with a journal of any length, as an engine would have left it in the middle of a training.

Lines are made as text, since the real writer would need a minute for a million of them; they are what it writes.
"""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agents.checkpoint import EVERY, CheckpointWriter
from agents.fold import fold
from agents.journal import JournalReader
from agents.run_folder import RunFolder, create_run
from agents.settings import RunSettings
from agents.state import RunState
from agents.vocabulary import STEPS, StepName

_BETWEEN = timedelta(milliseconds=700)
_EPOCHS = 150
_CALLS_OF_A_STEP = 12


class LongRun:
    """Events without an end: iterations of nine steps, each with calls; those of the training step report epochs."""

    def __init__(self, run_id: str, start: datetime) -> None:
        self._run_id = run_id
        self._now = start
        self._seq = -1
        self._tools = itertools.count(1)
        self._models = itertools.count(1)

    def line(self, kind: str, more: str, place: str = "") -> str:
        """One event as a line of the journal. ``more`` and ``place`` are JSON, members with a comma at the end."""
        self._seq += 1
        self._now += _BETWEEN
        stamp = f'"seq":{self._seq},"time":"{self._now:%Y-%m-%dT%H:%M:%S.%f}Z","run_id":"{self._run_id}"'
        return f'{{{stamp},{place or _NOWHERE}"type":"{kind}"{more}}}\n'

    def lines(self) -> Iterator[str]:
        yield self.line("run_started", ',"dataset":"peptides","model":"openai/gpt-5","iterations":9,"settings":{}')
        yield self.line(
            "dataset_checked",
            ',"task_type":"binary","metric":"AUROC","higher_is_better":true,"rows":{"train":8000,"test":2000}',
        )
        for iteration in itertools.count():
            yield from self._iteration(iteration)

    def _iteration(self, iteration: int) -> Iterator[str]:
        yield self.line("iteration_started", "", f'"iteration":{iteration},"step":null,')
        for step in STEPS:
            place = f'"iteration":{iteration},"step":"{step}",'
            yield self.line("step_started", "", place)
            for _ in range(_CALLS_OF_A_STEP):
                yield from self.call(place, _EPOCHS if step is StepName.MODEL_TRAINING else 0)
            yield self.line("step_finished", f',"summary":"{step} done.","output":"o.json","seconds":9.5', place)
        values = '"values":{"AUROC":0.93,"AUPRC":0.91,"log_loss":0.31}'
        scored = f',"split":"validation","metric":"AUROC",{values},"rows":1600,"split_version":1'
        yield self.line("metrics_computed", scored, f'"iteration":{iteration},"step":null,')
        yield self.line(
            "iteration_finished", ',"status":"done","seconds":80.5', f'"iteration":{iteration},"step":null,'
        )

    def call(self, place: str, epochs: int) -> Iterator[str]:
        """A model call and the tool call that it asks for."""
        number, call = next(self._models), next(self._tools)
        yield self.line("model_call_started", f',"call":{number},"model":"openai/gpt-5"', place)
        said = f'"said":"I look at fold {number % 5} again, without k-mers of length {number % 7}.","tools":["bash"]'
        tokens = '"input_tokens":8120,"output_tokens":340,"cached_tokens":6100,"cost_usd":0.013'
        record = f'"record":"model_calls/{number:06d}.json"'
        ended = f',"call":{number},"model":"openai/gpt-5","seconds":4.25,{tokens},{said},{record}'
        yield self.line("model_call_finished", ended, place)
        tool, title = (
            ("run_python", f"train.py on fold {call} of input") if epochs else ("bash", f"head of fold {call} of input")
        )
        files = f'"log":"tool_calls/{call:06d}.log","arguments":"tool_calls/{call:06d}.json"'
        yield self.line("tool_call_started", f',"call":{call},"tool":"{tool}","title":"{title}",{files}', place)
        for epoch in range(epochs):
            loss = 1 / (epoch + 1)
            losses = f'"train_loss":{loss:.4f},"val_loss":{1.2 * loss:.4f},"val_auroc":{1 - loss / 2:.4f}'
            yield self.line(
                "training_progress", f',"call":{call},"epoch":{epoch},"of":{epochs},"values":{{{losses}}}', place
            )
        ended = f',"call":{call},"tool":"{tool}","outcome":"ok","exit_status":0,"seconds":1.5,"bytes":{call * 37}'
        yield self.line("tool_call_finished", ended, place)


_NOWHERE = '"iteration":null,"step":null,'


def make_run(runs: Path, events: int) -> tuple[RunFolder, Iterator[str]]:
    """A run that goes on, with ``events`` events in its journal, and the lines that come next.

    Its checkpoint, where there is one, is as old as an engine lets it become.
    """
    run = create_run(runs, RunSettings(dataset=runs), "bench", f"long-{events}")
    lines = LongRun(run.run_id, datetime.now(UTC) - _BETWEEN * events).lines()
    with run.journal.open("w", encoding="utf-8") as file:
        file.writelines(itertools.islice(lines, max(0, events - EVERY)))
    reader, state = JournalReader(run.journal), RunState()
    fold(reader.read_all(), state)
    if state.last_seq >= 0:
        CheckpointWriter(run.journal, reader, state.last_seq, -1).close(state, reader.offset)
    with run.journal.open("a", encoding="utf-8") as file:
        file.writelines(itertools.islice(lines, min(events, EVERY)))
    return run, lines
