"""The list of models as a process, against real servers on loopback that answer well, badly and not at all."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agentomics_tui.servers import ask_servers
from tests.support.command_line import Runs

CANARY = "sk-canary-7f3a91"
SERVED = {"object": "list", "data": [{"id": "qwen3", "max_model_len": 32768}, {"id": "\x1b[2Jllama"}]}


class _Server(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]]
    together: threading.Barrier

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers.get("Authorization")))
        if self.path.startswith("/hang"):
            time.sleep(30)
        elif self.path.startswith("/drip"):
            self._begin(200)
            with suppress(OSError):
                for _ in range(300):
                    self.wfile.write(b" ")
                    time.sleep(0.1)
        elif self.path.startswith("/together"):
            self.together.wait(30)
            self._send(200, json.dumps(SERVED).encode())
        elif self.path.startswith("/nowhere"):
            self._send(404, b"not here")
        elif self.path.startswith("/empty"):
            self._send(200, b'{"data": []}')
        elif self.path.startswith("/html"):
            self._send(200, b"<html>welcome</html>")
        elif self.path.startswith("/locked/v1"):
            self._send(401, b"{}")
        elif self.path.startswith("/many"):
            names = [*(f"m{number:06d}" for number in range(5000)), "x" * 5000]
            self._send(200, json.dumps({"data": [{"id": name} for name in names]}).encode())
        elif self.path.startswith("/bare"):
            self._send(200, b'{"models": 3}')
        elif self.path.endswith("/v1/models"):
            self._send(200, json.dumps(SERVED).encode())
        else:
            self._send(404, b"not here")

    def _begin(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def _send(self, status: int, body: bytes) -> None:
        self._begin(status)
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    handler = type("Handler", (_Server,), {"asked": [], "together": threading.Barrier(5)})
    served = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    served.daemon_threads = True
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    assert all(authorization is None for _, authorization in handler.asked)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    runs = Runs(tmp_path)
    runs.environment |= {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    return runs


def test_without_any_key_the_policy_is_there_and_the_variables_are_named(runs: Runs) -> None:
    done = runs("models")
    assert (done.returncode, done.stderr) == (0, "")
    header, builtin, *rest = done.stdout.splitlines()
    assert header.split() == ["Model", "Provider", "Window", "Tools", "In/M", "tok", "Out/M", "tok", "Found", "in"]
    assert builtin.split()[:6] == ["builtin/omics", "builtin", "–", "yes", "free", "free"]
    assert "set OPENAI_API_KEY, ANTHROPIC_API_KEY" in rest[0]
    assert "replay:RUN" in rest[-1]


def test_keys_of_the_environment_and_of_files_are_named_and_never_shown(runs: Runs) -> None:
    runs.environment["ANTHROPIC_API_KEY"] = CANARY
    (runs.home / ".env").write_text(f"OPENAI_API_KEY={CANARY}\n")
    done = runs("models")
    lines = done.stdout.splitlines()
    assert CANARY not in done.stdout + done.stderr
    assert any(line.startswith("anthropic/") and line.endswith("ANTHROPIC_API_KEY (environment)") for line in lines)
    assert any(line.startswith("openai/gpt-4.1 ") and line.endswith("OPENAI_API_KEY (.env)") for line in lines)
    assert any(line.startswith("… ") and line.endswith(" more of openai; --all") for line in lines)
    assert not any(line.startswith("gemini/") for line in lines)


def test_a_key_whose_models_no_table_knows_is_named_all_the_same(runs: Runs) -> None:
    runs.environment["HOSTED_VLLM_API_BASE"] = "http://localhost:8000/v1"
    said = runs("models").stdout
    assert "HOSTED_VLLM_API_BASE (environment): litellm's table has no models of hosted_vllm" in said
    assert "no key of a provider" not in said


def test_all_models_are_listed_with_what_they_need(runs: Runs) -> None:
    lines = runs("models", "--all").stdout.splitlines()
    assert len(lines) > 500
    assert any(line.startswith("gemini/") and line.endswith("set GEMINI_API_KEY or GOOGLE_API_KEY") for line in lines)


def test_json_has_an_object_a_line_and_prices_nobody_knows_are_null(runs: Runs, server: str) -> None:
    runs.environment["OPENAI_API_KEY"] = CANARY
    done = runs("models", "--json", "--server", f"{server}/v1", "--server", f"{server}/html")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    models = {row["model"]: row for row in found if "model" in row}
    assert models["openai/gpt-4.1"]["input_usd_per_million"] == pytest.approx(2.0)
    assert models["openai/qwen3"] == {
        "model": "openai/qwen3",
        "provider": f"{server}/v1",
        "window": 32768,
        "max_output": None,
        "tools": None,
        "input_usd_per_million": None,
        "output_usd_per_million": None,
        "found": "--server",
        "missing": "",
        "api_base": f"{server}/v1",
    }
    assert found[-1] == {
        "server": f"{server}/html",
        "found": "--server",
        "problem": f"answered {server}/html/models with something that is no JSON",
    }


def test_a_server_named_without_v1_is_found_and_its_names_command_no_terminal(runs: Runs, server: str) -> None:
    done = runs("models", "--server", server)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    qwen = next(line for line in done.stdout.splitlines() if line.startswith("openai/qwen3"))
    assert qwen.split() == ["openai/qwen3", f"{server}/v1", "32,768", "unknown", "unpriced", "unpriced", "--server"]
    assert f"--api-base {server}/v1 --model MODEL" in done.stdout


def test_the_server_of_the_settings_is_asked_too(runs: Runs, server: str) -> None:
    runs.settle(f'api_base = "{server}/v1"\n')
    assert "agentomics.toml: api_base" in runs("models").stdout


def test_it_is_a_failure_where_no_server_that_was_named_gives_a_list(runs: Runs, server: str) -> None:
    said = runs.error("models", "--server", "http://127.0.0.1:1/v1")
    assert said.startswith("server http://127.0.0.1:1/v1 (--server): no answer (")
    done = runs("models", "--json", "--server", f"{server}/html/v1", "--server", f"{server}/locked")
    assert done.returncode == 2
    assert [json.loads(line)["server"] for line in done.stdout.splitlines()] == [
        f"{server}/html/v1",
        f"{server}/locked",
    ]
    assert len(done.stderr.splitlines()) == 2


def test_a_server_that_wants_a_key_says_which_variable_a_run_needs(runs: Runs, server: str) -> None:
    said = runs.error("models", "--server", f"{server}/locked")
    wanted = f"for a run set OPENAI_API_KEY and give --api-base {server}/locked/v1 --model openai/MODEL"
    assert said.endswith(wanted)


def test_a_server_of_the_settings_that_is_away_is_a_line_and_no_failure(runs: Runs) -> None:
    runs.settle('api_base = "http://127.0.0.1:1/v1"\n')
    done = runs("models")
    assert (done.returncode, done.stderr) == (0, "")
    assert "server http://127.0.0.1:1/v1 (agentomics.toml: api_base): no answer (" in done.stdout


def test_what_one_server_of_several_does_wrong_is_a_line_and_no_failure(runs: Runs, server: str) -> None:
    wrong = {
        f"{server}/hang/v1": "no answer within 3 s",
        f"{server}/drip/v1": "no answer within 3 s",
        f"{server}/html/v1": "something that is no JSON",
        f"{server}/locked/v1": "wants a key (HTTP 401)",
        f"{server}/nowhere": "HTTP 404",
        f"{server}/bare/v1": "no list of models",
        f"{server}/empty/v1": "has no models",
        "http://127.0.0.1:1/v1": "no answer (",
        "http://no-such-host.invalid/v1": "no answer",
    }
    done = runs("models", *(word for address in (server, *wrong) for word in ("--server", address)))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for address, problem in wrong.items():
        assert [line for line in lines if line.startswith(f"server {address} (--server): ") and problem in line], (
            address
        )


def test_a_server_with_very_many_models_does_not_flood_the_terminal(runs: Runs, server: str) -> None:
    done = runs("models", "--server", f"{server}/many")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert any("… 4900 more of" in line for line in lines)
    assert len(lines) < 120
    assert max(len(line) for line in lines) < 300


def test_servers_are_asked_all_at_once(server: str) -> None:
    answers = ask_servers({f"{server}/together/{number}/v1": "--server" for number in range(5)}, limit=20)
    assert [len(answer.models) for answer in answers] == [2] * 5
