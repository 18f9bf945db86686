import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from agentomics_tui.log_source import LogSource, read_arguments
from agents.state import ToolCallState
from agents.vocabulary import StepName, ToolOutcome
from screens.messages import ToolCallChanged
from screens.theme import DARK
from screens.tool_inspector import ToolInspectorScreen, arguments_content, header_content
from tests.support.journals import START
from tests.support.watching import text_of, until

NOW = START + timedelta(seconds=75)
CODE = '''"""Train on k-mer counts."""

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train-data", type=Path, required=True)
    arguments = parser.parse_args()
    print(f"training on {arguments.train_data}")


if __name__ == "__main__":
    main()
'''
HOSTILE = ["x[/", "a [/etc/x] b", "list[int]", "[task1]", r"\[0-9\]+", "\x1b]0;title\x07\x1b[2J"]


@dataclass
class Calls:
    """Real files of a few tool calls."""

    folder: Path
    calls: list[ToolCallState] = field(default_factory=list)

    def add(
        self,
        tool: str,
        title: str,
        arguments: object,
        output: str,
        outcome: ToolOutcome | None = ToolOutcome.OK,
        exit_status: int | None = 0,
    ) -> ToolCallState:
        number = len(self.calls) + 1
        call = ToolCallState(
            call=number,
            tool=tool,
            title=title,
            iteration=3,
            step=StepName.MODEL_TRAINING,
            log=f"{number:06d}.log",
            arguments=f"{number:06d}.json",
            started=START,
            outcome=outcome,
            exit_status=None if outcome is None else exit_status,
            seconds=None if outcome is None else 12.3,
            bytes=0 if outcome is None else len(output.encode()),
        )
        (self.folder / call.log).write_text(output, encoding="utf-8")
        (self.folder / call.arguments).write_text(json.dumps(arguments), encoding="utf-8")
        self.calls.append(call)
        return call

    def find(self, number: int) -> ToolCallState | None:
        return self.calls[number - 1] if 0 < number <= len(self.calls) else None


class Host(App[None]):
    def __init__(self, calls: Calls, first: int) -> None:
        super().__init__()
        self.calls = calls
        self.first = first
        self.left = False

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = DARK.name
        folder = self.calls.folder
        screen = ToolInspectorScreen(
            self.calls.calls[self.first - 1],
            self.calls.find,
            lambda call, post: LogSource(folder / call.log, post, poll_seconds=0.02).start(),
            lambda call: read_arguments(folder / call.arguments),
            lambda: NOW,
        )
        self.push_screen(screen, self._note)

    def _note(self, _: None) -> None:
        self.left = True


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    calls = Calls(tmp_path)
    script = "model_training/train.py"
    calls.add("write_python", script, {"path": script, "content": CODE}, f"wrote {script}: 15 lines\n")
    epochs = "".join(
        f"\x1b[32mINFO\x1b[0m epoch {n:>3}/200  train_loss 0.{7000 - 20 * n}  validation_loss 0.{7100 - 15 * n}\n"
        for n in range(120)
    )
    calls.add("run_python", script, {"path": script}, epochs, None)
    error = "Traceback (most recent call last):\n" + "  File train.py, line 1\n" * 60 + "MemoryError\n"
    calls.add("bash", "python train.py", {"command": "python train.py"}, error, ToolOutcome.ERROR, 1)
    calls.add("bash", "echo " + " ".join(HOSTILE), {"command": HOSTILE, "x[/": "y"}, "\n".join(HOSTILE) + "\n")
    calls.add("bash", "true", {"command": "true"}, "")
    return calls


def shows(pilot: Pilot[None], text: str) -> bool:
    return text in text_of(pilot)


@pytest.mark.parametrize("layout", ["whole", "hidden", "in part"])
async def test_the_output_is_searched_and_followed_however_much_of_the_arguments_is_shown(
    calls: Calls, layout: str
) -> None:
    app = Host(calls, 2)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        view = app.screen.files.pane.log_view
        await pilot.press(*["a"] * (["whole", "hidden", "in part"].index(layout) + 1))
        following = view.following
        await pilot.press("f")
        assert view.following is not following
        await pilot.press(*["a"] * 3)
        await pilot.press("slash", *"epoch", "enter")
        await until(pilot, lambda: view.outcome is not None, "the search is over")
        assert view.search is not None
        assert view.search.text == "epoch"


async def test_a_call_shows_what_it_did_how_it_ended_its_arguments_and_its_output(calls: Calls) -> None:
    async with Host(calls, 1).run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, "15 lines") and shows(pilot, "import argparse"))
        for words in ("#1 write_python", "✓ ok", "exit 0", "iteration 3 · Model training", "12s · 40 B"):
            assert shows(pilot, words), words


async def test_a_running_call_follows_its_output_and_tells_when_it_ends(calls: Calls) -> None:
    async with Host(calls, 2).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "epoch 119"))
        assert shows(pilot, "● running")
        assert shows(pilot, "1m15s")
        call = calls.calls[1]
        with (calls.folder / call.log).open("a") as file:
            file.write("the last words\n")
        await until(pilot, lambda: shows(pilot, "the last words"))
        call.outcome, call.exit_status, call.seconds, call.bytes = ToolOutcome.TIMEOUT, -9, 300.0, 4_096
        pilot.app.screen.post_message(ToolCallChanged(call))
        await until(pilot, lambda: shows(pilot, "◷ timeout  exit -9"))
        assert shows(pilot, "5m00s · 4.1 kB")


async def test_a_failure_opens_at_its_end_and_a_success_at_its_beginning(calls: Calls) -> None:
    async with Host(calls, 3).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "MemoryError"))
    calls.calls[2].outcome = ToolOutcome.OK
    async with Host(calls, 3).run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: shows(pilot, "Traceback"))
        assert not shows(pilot, "MemoryError")


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_escape_and_q_go_back(calls: Calls, key: str) -> None:
    app = Host(calls, 1)
    async with app.run_test() as pilot:
        await until(pilot, lambda: shows(pilot, "15 lines"))
        await pilot.press(key)
        await until(pilot, lambda: app.left)


async def test_brackets_go_to_the_calls_before_and_behind_and_stop_at_the_ends(calls: Calls) -> None:
    async with Host(calls, 1).run_test(size=(100, 30), notifications=True) as pilot:
        await pilot.press("]")
        await until(pilot, lambda: shows(pilot, "#2 run_python") and shows(pilot, "epoch 119"))
        await pilot.press("[")
        await until(pilot, lambda: shows(pilot, "#1 write_python") and shows(pilot, "15 lines"))
        await pilot.press("[")
        await until(pilot, lambda: shows(pilot, "This is the first call."))
        assert shows(pilot, "#1 write_python")


async def test_a_search_runs_through_the_real_file(calls: Calls) -> None:
    async with Host(calls, 2).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "epoch 119"))
        await pilot.press("slash", *"epoch  17", "enter")
        await until(pilot, lambda: shows(pilot, "“epoch 17” line 18"))


async def test_arguments_are_shown_in_part_whole_or_not_at_all(calls: Calls) -> None:
    calls.calls[0].outcome = None
    async with Host(calls, 1).run_test(size=(100, 20)) as pilot:
        await until(pilot, lambda: shows(pilot, "import argparse"))
        assert not shows(pilot, "parser.parse_args")
        await pilot.press("a")
        await until(pilot, lambda: shows(pilot, "parse_args"))
        await pilot.press("a")
        await until(pilot, lambda: not shows(pilot, "import argparse"))
        await pilot.press("a")
        await until(pilot, lambda: shows(pilot, "import argparse"))


async def test_hostile_titles_arguments_and_output_are_text(calls: Calls) -> None:
    async with Host(calls, 4).run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: shows(pilot, r"\[0-9\]+"))
        assert shows(pilot, "echo x[/ a [/etc/x] b list[int] [task1]")
        assert "\x1b" not in text_of(pilot)


@pytest.mark.parametrize(
    ("outcome", "exit_status", "words"),
    [
        (ToolOutcome.OK, 0, "printed nothing, exit status 0"),
        (ToolOutcome.ERROR, 3, "printed nothing, exit status 3"),
        (ToolOutcome.CANCELLED, None, "printed nothing"),
        (None, None, "no output yet"),
    ],
)
async def test_a_call_without_output_says_so(
    calls: Calls, outcome: ToolOutcome | None, exit_status: int | None, words: str
) -> None:
    calls.calls[4].outcome, calls.calls[4].exit_status = outcome, exit_status
    async with Host(calls, 5).run_test() as pilot:
        await until(pilot, lambda: shows(pilot, words))


async def test_what_the_engine_ran_stands_there_as_one_would_type_it(calls: Calls) -> None:
    argv = ["/run/python", "inference.py", "--input", "/tmp/a b", "--output", "[/x].csv"]
    calls.add("engine", "predict validation", {"command": argv, "folder": "/run/model_inference"}, "")
    async with Host(calls, 6).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "printed nothing, exit status 0"))
        await until(pilot, lambda: shows(pilot, "folder  /run/model_inference"))
        lines = [line.strip() for line in text_of(pilot).splitlines()]
        start = lines.index("/run/python inference.py \\")
        assert lines[start + 1 : start + 3] == ["--input '/tmp/a b' \\", "--output '[/x].csv'"]


# --- content ---------------------------------------------------------------------------------------------------------


def test_short_values_stand_beside_their_names_and_code_below_its_name() -> None:
    arguments = {"path": "a.py", "content": "import os\nprint(1)\n", "n": 3}
    content = arguments_content("write_python", json.dumps(arguments))
    assert content.plain == "path  a.py\ncontent\nimport os\nprint(1)\nn  3"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no json [/]", "no json [/]"),
        ("[1, 2]", "[\n  1,\n  2\n]"),
        ("{}", "no arguments"),
        ('{"[/x]": null}', "[/x]  null"),
        ('{"a": "\\u001b[2Jx"}', "a  x"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_whatever_the_arguments_are_they_are_shown(text: str, shown: str) -> None:
    assert arguments_content("bash", text).plain == shown


def test_a_header_never_breaks_its_width(calls: Calls) -> None:
    for width in (40, 80, 200):
        for call in calls.calls:
            assert all(line.cell_length <= width for line in header_content(call, NOW, width).split("\n"))


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("call", [1, 2], ids=["code", "running"])
def test_how_it_looks(snap_compare, calls: Calls, size: tuple[int, int], call: int) -> None:  # type: ignore[no-untyped-def]
    async def ready(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: shows(pilot, "15 lines" if call == 1 else "epoch 119"))
        await until(pilot, lambda: shows(pilot, "path"))
        if call == 2:
            await pilot.press("slash", *"119", "enter")
            await until(pilot, lambda: shows(pilot, "“119” line 120"))

    assert snap_compare(Host(calls, call), terminal_size=size, run_before=ready)


async def test_a_tick_between_two_calls_finds_nothing_to_show_and_does_no_harm(calls: Calls) -> None:
    async with Host(calls, 1).run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: shows(pilot, "15 lines"))
        screen = pilot.app.screen
        assert isinstance(screen, ToolInspectorScreen)
        going = asyncio.create_task(screen.action_neighbour(1))
        while not going.done():
            await asyncio.sleep(0)
            screen._show_call()
        await going
        assert screen.call.call == 2


def test_the_paths_of_a_command_stand_from_the_folder_of_the_run() -> None:
    root = "/home/ana/runs/r1"
    command = ["/usr/bin/python", f"{root}/iterations/3/infer.py", f"--artifacts={root}/training_artifacts", root]
    shown = arguments_content("inference", json.dumps({"command": command}), root).plain
    assert shown.split("\n") == [
        "command, paths from the run's folder",
        "/usr/bin/python iterations/3/infer.py \\",
        "  --artifacts=training_artifacts .",
    ]
    elsewhere = arguments_content("inference", json.dumps({"command": ["ls", f"{root}-2/x"]}), root).plain
    assert elsewhere == f"command  ls {root}-2/x"
