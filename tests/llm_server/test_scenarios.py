"""Scenarios strike where they say, their files say nothing that cannot be played, and the expert keeps its head."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agents.models.gateway import Message, ModelReply
from agents.steps.outputs import OUTPUT_OF
from agents.vocabulary import StepName
from tests.llm_server.app import App, Request
from tests.llm_server.asking import PATH, Always, answered, body, client, facts, faulty, message_of, names, opening
from tests.llm_server.brain import ExpertBrain
from tests.llm_server.faults import changed
from tests.llm_server.scenario import FOLDER, ReplyFault, Scenario, StatusFault, all_scenarios, read_scenarios, scenario
from tests.llm_server.serving import serve
from tests.support.expert import competent

TRAINING = StepName.MODEL_TRAINING
STEPS_WITH_A_MODEL = [step for step in StepName if step is not StepName.VALIDATION_EVALUATION]


def struck(scenario: Scenario, *asked: dict[str, Any], brain: Any = None) -> list[str | None]:
    """The kind of the fault that strikes each of the requests."""
    with serve(brain or Always(), scenario) as served, client(served) as http:
        for one in asked:
            http.post(PATH, json=one)
        return [request.fault for request in served.requests]


STATUS = {"kind": "status", "code": 503}


def test_a_fault_strikes_from_its_call_on_as_often_as_it_says() -> None:
    assert struck(faulty({**STATUS, "when": {"call": 2}}), *[body()] * 4) == [None, "status", None, None]
    assert struck(faulty({**STATUS, "times": 2}), *[body()] * 3) == ["status", "status", None]
    assert struck(faulty({**STATUS, "times": 0}), *[body()] * 3) == ["status"] * 3


def test_of_several_faults_the_first_that_is_not_spent_strikes() -> None:
    both = faulty(STATUS, {"kind": "html", "times": 2})
    assert struck(both, *[body()] * 4) == ["status", "html", "html", None]


def test_a_fault_can_mean_one_model_or_one_parameter() -> None:
    one = faulty({**STATUS, "model": "a", "times": 0}, models=["a", "b"])
    assert struck(one, body(model="b"), body(model="a"), body(model="b")) == [None, "status", None]
    warm = faulty({**STATUS, "when": {"parameter": "temperature"}, "times": 0})
    assert struck(warm, body(temperature=1), body(), body(temperature=0)) == ["status", None, "status"]


def test_a_fault_can_mean_one_step_of_one_iteration() -> None:
    where = faulty({**STATUS, "when": {"step": "data_split", "iteration": 1}, "times": 0})
    asked = [body(opening(step, iteration)) for iteration in (0, 1) for step in (StepName.DATA_SPLIT, TRAINING)]
    assert struck(where, *asked) == [None, None, "status", None]


def test_the_three_places_are_the_first_call_the_middle_of_a_step_and_its_result() -> None:
    for place, expected in (("first", 0), ("middle", 2), ("final", 3)):
        served_calls: list[Message] = []
        with serve(ExpertBrain(), scenario(f"status_503-{place}")) as served, client(served) as http:
            http.post(PATH, json=body(opening(StepName.ITERATION_PLAN)))
            messages = opening()
            while "final_result" not in served_calls:
                response = http.post(PATH, json=body(messages))
                if response.status_code == 200:
                    message = message_of(response.content)
                    messages += answered(message)
                    served_calls = names(message)
            faults = [request.fault for request in served.requests]
        assert faults == [*[None] * expected, "status", *[None] * (len(faults) - expected - 1)]


def play(step: StepName, scenario: Scenario | None = None, iteration: int = 0) -> list[Message]:
    """A step's conversation until the expert hands over its result on its own; every call is answered with 'done'."""
    messages = opening(step, iteration)
    with serve(ExpertBrain(), scenario) as served, client(served) as http:
        while True:
            message = message_of(http.post(PATH, json=body(messages)).content)
            messages += [*answered(message), *([] if message["tool_calls"] else [{"role": "user", "content": "call"}])]
            if names(message) == ["final_result"] and served.requests[-1].fault is None:
                return messages


@pytest.mark.parametrize("step", STEPS_WITH_A_MODEL)
def test_the_expert_does_each_step_over_http_as_it_does_in_memory(step: StepName) -> None:
    said = [message for message in play(step) if message["role"] == "assistant"]
    made = [call["function"] for message in said for call in message["tool_calls"]]
    expected = [call for turn in range(len(said)) for call in competent(facts(step), turn).tool_calls][: len(made)]
    assert [(call["name"], json.loads(call["arguments"])) for call in made] == [
        (call.name, json.loads(call.arguments)) for call in expected
    ]
    OUTPUT_OF[step].model_validate_json(made[-1]["arguments"])


@pytest.mark.parametrize(
    "name",
    [
        "text_only_twice",
        "malformed_arguments",
        "unknown_tool",
        "final_result_too_early",
        "huge_content",
        "escapes-middle",
    ],
)
def test_the_expert_is_not_confused_by_replies_that_went_wrong(name: str) -> None:
    said = [message for message in play(TRAINING, scenario(name)) if message["role"] == "assistant"]
    done = [called for message in said for called in names(message)]
    assert done.index("write_python") < len(done) - 1 - done[::-1].index("run_python")
    assert done[-1] == "final_result"


def test_something_else_can_be_said_at_one_step_of_one_iteration() -> None:
    brain = ExpertBrain({(1, TRAINING): lambda facts, turn: ModelReply(f"{facts.step} {turn}")})
    assert brain.answer(opening(TRAINING, 1), [], "m").text == "model_training 0"
    assert brain.answer(opening(TRAINING, 0), [], "m").tool_calls
    assert brain.asked == [(1, TRAINING), (0, TRAINING)]
    assert brain.answer([{"role": "user", "content": "hello"}], [], "m").text


def lead(found: Scenario) -> App:
    """An iteration without HTTP, led by an engine that asks again whatever happens and gives up a step at last."""
    app = App(ExpertBrain(), found, found.models)
    parameters: dict[str, Any] = {"temperature": 1.0}
    for step in STEPS_WITH_A_MODEL:
        messages = opening(step)
        for attempt in range(8):
            model = found.models[attempt % len(found.models)]
            request = Request("POST", PATH, {}, len(app.seen) + 1, body(messages, model=model, **parameters))
            app.seen.append(request)
            reply = app.brain.answer(messages, [], model)
            fault = app.fault_for(request, messages, reply)
            request.fault = fault.kind if fault else None
            if isinstance(fault, StatusFault) and fault.parameter in parameters:
                del parameters[fault.parameter]
            if fault is None or isinstance(fault, ReplyFault):
                message = changed(fault, reply, request.number).message()
                messages += answered({"tool_calls": [], **message})
            if fault is None and names(message) == ["final_result"]:
                break
    return app


@pytest.mark.parametrize("found", all_scenarios(), ids=lambda found: found.name)
def test_every_fault_of_every_scenario_strikes_and_a_passing_one_passes(found: Scenario) -> None:
    app = lead(found)
    struck = [app.strikes(index) for index in range(len(found.fault))]
    assert all(struck)
    if found.expect.status == "finished" and found.expect.failed_step is None:
        asked = {place[1] for place in app.brain.asked}  # type: ignore[attr-defined]
        assert asked == set(STEPS_WITH_A_MODEL)
        if all(fault.times for fault in found.fault):
            assert struck == [fault.times for fault in found.fault]
            assert app.seen[-1].fault is None


def test_there_are_many_scenarios_and_every_one_of_them_can_be_played() -> None:
    scenarios = all_scenarios()
    assert len(list(FOLDER.glob("*.toml"))) >= 34
    assert len({found.name for found in scenarios}) == len(scenarios)
    assert len({found.title for found in scenarios}) == len(list(FOLDER.glob("*.toml")))
    kinds = {fault.kind for found in scenarios for fault in found.fault}
    assert kinds == {
        *("status", "html", "empty", "refuse", "truncate", "bad_json"),
        *("bad_utf8", "error_chunk", "hang", "drip", "reply"),
    }


@pytest.mark.parametrize(
    "mistake",
    [
        'title = "t"\n[expect]\nstatus = "fine"',
        'title = "t"\nsurprise = 1\n[expect]\nstatus = "finished"',
        'title = "t"\n[expect]\nstatus = "finished"\n[settings]\nllm_patience = 3',
        'title = "t"\n[expect]\nstatus = "finished"\n[settings]\nllm_retries = -1',
        'title = "t"\n[expect]\nstatus = "finished"\n[[fault]]\nkind = "html"',
        'title = "t"\n[expect]\nstatus = "finished"\n[[fault]]\nkind = "html"\nwhen = {}',
        'title = "t"\n[expect]\nstatus = "finished"\n[[fault]]\nkind = "html"\nwhen = { turn = 1 }',
        'title = "t"\n[expect]\nstatus = "finished"\n[[fault]]\nkind = "html"\nwhen = { call = 1 }\nafter = 2',
        'title = "t"\n[expect]\nstatus = "finished"\n[[fault]]\nkind = "html"\nwhen = { call = 1 }\nmodel = "x"',
        'title = "t"\nplaces = ["last"]\n[expect]\nstatus = "finished"',
    ],
)
def test_a_mistake_in_a_scenario_file_is_found_when_it_is_read(tmp_path: Path, mistake: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(mistake)
    with pytest.raises(ValidationError):
        read_scenarios(path)
