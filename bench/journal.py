"""The journal: events written, read and folded a second, and what a long one costs."""

import tempfile
import time
from pathlib import Path

from agents.events import ToolCallFinished, ToolCallStarted
from agents.fold import fold
from agents.journal import JournalReader, JournalWriter
from agents.vocabulary import StepName, ToolOutcome

SIZES = (1_000, 10_000, 100_000)


def write(path: Path, count: int, *, durable: bool = False) -> float:
    writer = JournalWriter(path, "bench")
    start = time.perf_counter()
    for number in range(count // 2):
        call = number + 1
        place = {"iteration": call % 5, "step": StepName.MODEL_TRAINING}
        begun = ToolCallStarted(call=call, tool="bash", title="ls", log="a.log", arguments="a.json", **place)
        ended = ToolCallFinished(call=call, tool="bash", outcome=ToolOutcome.OK, seconds=0.1, **place)
        for event in (begun, ended):
            writer.write(event, durable=durable)
    taken = time.perf_counter() - start
    writer.close()
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        durable = write(Path(folder) / "durable.jsonl", 1_000, durable=True)
        print(f"  written with fsync   {1_000 / durable:10,.0f} events/s")
        for size in SIZES:
            path = Path(folder) / f"{size}.jsonl"
            written = write(path, size)
            start = time.perf_counter()
            events = list(JournalReader(path).read_all())
            read = time.perf_counter() - start
            start = time.perf_counter()
            fold(events)
            folded = time.perf_counter() - start
            print(
                f"  {size:>9,} events   write {written:6.2f} s   read {read:6.2f} s   fold {folded:6.2f} s"
                f"   {path.stat().st_size / 1e6:6.1f} MB"
            )


if __name__ == "__main__":
    main()
