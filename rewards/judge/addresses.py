"""Where a server is, and the name of the variable that holds its key: what the settings of every client check."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def plain_address(value: str) -> str:
    """Return an address without its last slash, or raise ValueError if it is none or holds a password.

    Example:
        >>> plain_address("http://127.0.0.1:8000/v1/")
        'http://127.0.0.1:8000/v1'
    """
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected an address such as http://127.0.0.1:8000/v1")
    if parts.username or parts.password:
        raise ValueError("it holds a password; put the key in an environment variable and name it in api_key_env")
    return value.rstrip("/")


def variable_name(value: str, example: str) -> str:
    """Return the name of an environment variable, or raise ValueError if it looks like a key."""
    if not re.fullmatch(r"[A-Za-z_]\w*", value, re.ASCII):
        raise ValueError(f"expected the NAME of an environment variable such as {example}, not a key")
    return value
