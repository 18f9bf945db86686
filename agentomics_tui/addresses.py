"""Addresses of model servers, as a person gives them."""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from agents.secrets import is_secret_name

_EXAMPLE: Final = "http://localhost:8000/v1"


def problem_with_address(address: str) -> str | None:
    """One line that says why ``address`` cannot be a server's, or None.

    Addresses are kept in ``run.json`` and shown on screens, so none may hold a key; what was given is not repeated.
    """
    try:
        parts = urlsplit(address.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        return f"this is no address; expected one like {_EXAMPLE}"
    if parts.scheme not in ("http", "https") or not host:
        return f"expected an address that begins with http:// or https://, like {_EXAMPLE}"
    if not address.isprintable() or " " in address:
        return f"an address has no blanks in it; expected one like {_EXAMPLE}"
    if parts.username is not None or parts.password is not None:
        return "an address must not hold a name or password; give keys in the environment or in a file .env"
    if parts.fragment or any(is_secret_name(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return "an address must not hold a key; give keys in the environment or in a file .env"
    return None
