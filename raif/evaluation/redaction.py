"""Leave secrets out of what goes to others."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "(left out)"
_SECRET_KEY = re.compile(
    r"(^|[_-])(api[_-]?key|secret|password|passwd|credentials?|authorization|token)$", re.IGNORECASE
)
_SECRET_VARIABLE = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$")
_USER = re.compile(r"(?<=://)[^/@\s]+@")
_SHORTEST = 8  # characters of a variable's value that are taken for a secret


def redacted(content: Any) -> Any:
    """Return JSON content without values that are secrets, by their key, their place in an address or as a variable.

    Values of environment variables whose name ends in KEY, TOKEN, SECRET, PASSWORD or CREDENTIALS are left out wherever
    they stand, and so are user and password of an address.

    Example:
        >>> redacted({"api_key": "abc", "api_key_env": "MY_KEY", "base_url": "http://me:pass@host/v1", "n": 3})
        {'api_key': '(left out)', 'api_key_env': 'MY_KEY', 'base_url': 'http://(left out)@host/v1', 'n': 3}
    """
    secrets = [value for name, value in os.environ.items() if _SECRET_VARIABLE.search(name) and len(value) >= _SHORTEST]
    return _without(content, sorted(secrets, key=len, reverse=True))


def _without(content: Any, secrets: list[str]) -> Any:
    if isinstance(content, Mapping):
        return {
            key: HIDDEN
            if isinstance(value, str) and value and _SECRET_KEY.search(str(key))
            else _without(value, secrets)
            for key, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_without(value, secrets) for value in content]
    if isinstance(content, str):
        for secret in secrets:
            content = content.replace(secret, HIDDEN)
        return _USER.sub(f"{HIDDEN}@", content)
    return content
