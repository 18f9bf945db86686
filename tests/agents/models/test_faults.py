"""What a failed request means: whether it may pass, how long to wait, and one line for a person."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.models.faults import LONGEST_WAIT, Broken, fault_of, refused_parameter
from agents.models.gateway import ModelRefused, RequestRefused, RequestTooLong
from agents.models.litellm_gateway import LONGEST_BACKOFF, backoff

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)


class ProviderError(Exception):
    """What litellm raises, as far as anybody looks at it."""

    def __init__(self, status: int | str | None, text: str = "", **headers: str) -> None:
        super().__init__(text)
        self.status_code = status
        self.litellm_response_headers = {name.replace("_", "-"): value for name, value in headers.items()}


class ContextWindowExceededError(ProviderError):
    pass


class ContentPolicyViolationError(ProviderError):
    pass


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529, 599, None])
def test_what_may_pass_is_tried_again(status: int | None) -> None:
    fault = fault_of("p/m", ProviderError(status, "busy"), NOW)
    assert fault.may_pass
    assert not isinstance(fault.error, ModelRefused)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, "401"])
def test_what_will_not_pass_ends_the_call_at_once(status: int | str) -> None:
    fault = fault_of("p/m", ProviderError(status, "no"), NOW)
    assert not fault.may_pass
    assert isinstance(fault.error, ModelRefused)
    assert str(status) in str(fault.error)


def test_an_account_without_credit_is_not_asked_again_although_its_status_says_too_many_requests() -> None:
    fault = fault_of("p/m", ProviderError(429, "You exceeded your current quota"), NOW)
    assert isinstance(fault.error, ModelRefused)
    assert not fault.may_pass


@pytest.mark.parametrize(
    "error",
    [
        ContextWindowExceededError(400, "too long"),
        ProviderError(400, "This model's maximum context length is 8192 tokens."),
        ProviderError(400, "code: context_length_exceeded"),
        ProviderError(413, "prompt is too long: 210000 tokens > 200000 maximum"),
        ProviderError(400, "the request exceeds the available context size, try increasing it"),
    ],
)
def test_a_conversation_that_is_too_long_is_told_from_other_refusals(error: Exception) -> None:
    fault = fault_of("p/m", error, NOW)
    assert isinstance(fault.error, RequestTooLong)
    assert not fault.may_pass


def test_a_refused_content_is_a_matter_of_the_request_not_of_the_model() -> None:
    error = fault_of("p/m", ContentPolicyViolationError(400, "not allowed"), NOW).error
    assert isinstance(error, RequestRefused)
    assert not isinstance(error, ModelRefused)


def test_the_line_is_without_the_noise_of_the_layers_that_it_came_through() -> None:
    text = "litellm.RateLimitError: RateLimitError: OpenAIException - slow down\nplease Original exception: X: y"
    line = str(fault_of("openai/gpt-4.1", ProviderError(429, text), NOW).error)
    assert line == "openai/gpt-4.1: too many requests (HTTP 429): slow down please"


def test_what_a_provider_says_in_json_is_told_in_its_words() -> None:
    body = '{"error": {"message": "Incorrect key", "type": "auth", "code": null}}'
    assert str(fault_of("p/m", ProviderError(401, body), NOW).error).endswith("(HTTP 401): Incorrect key")
    for odd in ('{"error": "gone"}', '{"error": {"message": 3}}', "{", '{"detail": []}', '{"message": "x"}'):
        assert len(str(fault_of("p/m", ProviderError(401, odd), NOW).error).splitlines()) == 1


def test_a_server_that_is_not_there_is_told_in_words_and_not_in_objects_of_the_library() -> None:
    text = (
        "litellm.InternalServerError: InternalServerError: OpenAIException - Cannot connect to host 127.0.0.1:8123 "
        "ssl:<ssl.SSLContext object at 0x7f09> [Connect call failed ('127.0.0.1', 8123)]"
    )
    line = str(fault_of("p/m", ProviderError(500, text), NOW).error)
    assert line == "p/m: no connection: Cannot connect to host 127.0.0.1:8123"


@given(st.text(max_size=2000), st.sampled_from([None, 400, 401, 429, 500]))
def test_whatever_a_provider_says_becomes_one_line_of_bounded_length(text: str, status: int | None) -> None:
    line = str(fault_of("p/m", ProviderError(status, text), NOW).error)
    assert len(line.splitlines()) == 1
    assert len(line) < 500


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "250", "retry_after": "7"}, 0.25),
        ({"retry_after": "Thu, 26 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry_after": "Thu, 26 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry_after": "999999"}, LONGEST_WAIT),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wish_of_the_provider_to_be_left_alone_is_understood(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert fault_of("p/m", ProviderError(429, "x", **headers), NOW).retry_after == seconds


def test_a_reply_that_came_in_pieces_only_is_asked_for_again() -> None:
    fault = fault_of("p/m", Broken("the reply broke off before its end"), NOW)
    assert fault.may_pass
    assert str(fault.error) == "p/m: the reply broke off before its end"


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("Unsupported value: 'temperature' does not support 0.5 with this model.", "temperature"),
        ("gpt-5 models don't support temperature=0.5. Only temperature=1 is supported.", "temperature"),
        ("openai does not support parameters: ['reasoning_effort'], for model=x", "reasoning_effort"),
        ("unknown field stream_options", "stream_options"),
        ("temperature and reasoning_effort are not supported", None),
        ("`temperature` may only be set to 1 when thinking is enabled.", "temperature"),
        ("reasoning_effort: Extra inputs are not permitted", "reasoning_effort"),
        ("something else is not supported", None),
    ],
)
def test_the_parameter_that_a_model_does_not_take_is_found_in_its_words(text: str, parameter: str | None) -> None:
    sent = {"temperature", "reasoning_effort", "stream_options"}
    assert refused_parameter(ProviderError(400, text), sent) == parameter
    assert refused_parameter(ProviderError(500, text), sent) is None
    assert refused_parameter(ProviderError(400, text), set()) is None


@given(
    retry=st.integers(1, 100),
    first=st.floats(0, 100),
    asked=st.none() | st.floats(0, LONGEST_WAIT),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_bounded_and_never_shorter_than_the_provider_asks_for(
    retry: int, first: float, asked: float | None, chance: float
) -> None:
    wait = backoff(retry, first, asked, chance)
    assert 0 <= wait <= max(1.2 * LONGEST_BACKOFF, 1.1 * (asked or 0))
    assert asked is None or wait >= asked


def test_waits_double_until_they_are_long_enough() -> None:
    assert [backoff(retry, 2.0, None, 0.5) for retry in range(1, 7)] == [2, 4, 8, 16, 32, 60]


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ("argument of type 'NoneType' is not iterable", "what came is no reply of the kind that was asked for"),
        ("litellm.InternalServerError: 'NoneType' object is not subscriptable", "what came is no reply of the kind"),
        (
            "1 validation error for ModelResponse\nid\n  For further information visit https://errors.pydantic.dev/2/v/x",
            "what came is no reply of the kind that was asked for",
        ),
        ("Response payload is not completed: <TransferEncodingError: 400>", "the connection ended inside the reply"),
    ],
)
@pytest.mark.parametrize("status", [None, 500])
def test_no_library_speaks_to_a_person_of_itself(inner: str, said: str, status: int | None) -> None:
    fault = fault_of("p/m", ProviderError(status, inner), NOW)
    assert str(fault.error).startswith(f"p/m: {said}")
    assert fault.may_pass
    for word in ("NoneType", "pydantic", "TransferEncodingError"):
        assert word not in str(fault.error)


def test_what_a_provider_says_of_a_request_is_told_as_it_is() -> None:
    fault = fault_of("p/m", ProviderError(400, "KeyError: 'tools' in your request"), NOW)
    assert "'tools' in your request" in str(fault.error)
