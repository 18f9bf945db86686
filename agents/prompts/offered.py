"""What a model may call in a step: the tools, and ``final_result`` with the step's own arguments."""

from typing import Any, Final

from agents.steps.outputs import OUTPUT_OF, StepOutput
from agents.tools.registry import schemas
from agents.vocabulary import StepName

FINAL_RESULT: Final = "final_result"


def tools_of(step: StepName) -> list[dict[str, Any]]:
    """All that ``step`` may call, in the form that ``litellm.acompletion(tools=…)`` takes. A planner has no tools."""
    return [*(() if step is StepName.ITERATION_PLAN else schemas()), final_result_schema(OUTPUT_OF[step])]


def final_result_schema(output: type[StepOutput]) -> dict[str, Any]:
    """The call that ends a step: its arguments are the fields of ``output``."""
    parameters = output.model_json_schema()
    for field in parameters["properties"].values():
        field.pop("maxLength", None)  # llama.cpp dies of the grammar that it makes of it; the engine checks it
    parameters.pop("title", None)
    description = parameters.pop("description", "")
    return {
        "type": "function",
        "function": {
            "name": FINAL_RESULT,
            "description": f"Ends the step: hand over its result. {description}",
            "parameters": parameters,
        },
    }
