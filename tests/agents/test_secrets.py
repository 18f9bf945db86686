"""No secret survives in a text, in whatever form it stands there, and nothing else is touched."""

import json
from string import ascii_letters, digits
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.secrets import SHORTEST, Redactor, is_secret_name

SECRETS = st.text(ascii_letters + digits + '-_/+="\\ é%', min_size=SHORTEST, max_size=40).map(str.strip)
ORDINARY = st.text(max_size=60)


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "openai_api_key",
        "MY_API_KEY_2",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "HF_TOKEN",
        "TOKEN",
        "DB_PASSWORD",
        "CLIENT_SECRET",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ],
)
def test_a_name_that_looks_secret_is_one(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["PATH", "HOME", "KEYBOARD", "MONKEY", "TOKENIZERS_PARALLELISM", "OPENAI_API_BASE"])
def test_an_ordinary_name_is_none(name: str) -> None:
    assert not is_secret_name(name)


@given(SECRETS, ORDINARY, ORDINARY)
def test_a_secret_goes_in_every_form(secret: str, before: str, after: str) -> None:
    assume(len(secret) >= SHORTEST and secret not in "[A_KEY]")
    hide = Redactor({"A_KEY": secret})
    forms = [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(secret)[1:-1])[1:-1],
        quote(secret),
        quote(secret, ""),
        quote_plus(secret),
        quote(secret, "").replace("%2F", "%2f"),
        repr(secret)[1:-1],
    ]
    for form in forms:
        assert hide(f"| {form} |") == "| [A_KEY] |"
        assert secret not in hide(before + form + after)


@given(SECRETS, ORDINARY)
def test_json_stays_json_and_says_the_same(secret: str, text: str) -> None:
    assume(len(secret) >= SHORTEST and secret not in text and secret not in "[A_KEY]")
    value = {"text": text + "\n" + secret, "list": [secret]}
    hide = Redactor({"A_KEY": secret})
    assume(hide(text) == text)
    assert json.loads(hide(json.dumps(value))) == {"text": text + "\n[A_KEY]", "list": ["[A_KEY]"]}


@given(ORDINARY)
def test_text_without_a_secret_is_left_alone(text: str) -> None:
    assert Redactor({"A_KEY": "sk-0123456789abcdef"})(text) == text


def test_the_longer_of_two_secrets_goes_as_a_whole() -> None:
    hide = Redactor({"SHORT_KEY": "sk-12345", "LONG_KEY": "sk-12345-6789"})
    assert hide("sk-12345-6789 sk-12345") == "[LONG_KEY] [SHORT_KEY]"


def test_only_variables_with_secret_names_and_long_values_count() -> None:
    hide = Redactor.of({"OPENAI_API_KEY": " sk-canary-7f3a91\n", "HOME": "/home/ana-maria", "A_TOKEN": "true"})
    assert hide("sk-canary-7f3a91 /home/ana-maria true") == "[OPENAI_API_KEY] /home/ana-maria true"
    assert Redactor.of({})("anything") == "anything"


def test_bytes_of_the_environment_that_are_no_text_are_no_obstacle() -> None:
    assert Redactor({"A_KEY": "caf\udce9-12345"})("caf\udce9-12345") == "[A_KEY]"
