"""Guard the generic package names `rewards` and `data_gen`: the ones Python finds must be ours.

A user's own `rewards.py` in the working directory wins under `python -m`, and another distribution that installs a
package called `rewards` overwrites ours. Both fail here, before anything else, with what to do.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

SIBLINGS = ("rewards", "data_gen")


def check_siblings() -> None:
    """Raise ImportError unless `rewards` and `data_gen` are the packages that came with raif."""
    home = Path(__file__).resolve().parent.parent
    for name in SIBLINGS:
        _check(name, home / name / "__init__.py")


def _check(name: str, expected: Path) -> None:
    spec = importlib.util.find_spec(name)
    found = Path(spec.origin).resolve() if spec and spec.origin else None
    if found != expected:
        raise ImportError(
            f"RAIF needs its own package {name!r} ({expected}), but Python finds {found or 'nothing'} first. "
            "Rename that file or folder, start Python with -P, or install raif again."
        )
    if f'RAIF_PACKAGE = "{name}"' not in expected.read_text(encoding="utf-8"):
        raise ImportError(
            f"RAIF's package {name!r} at {expected} was overwritten by another distribution that installs a package "
            f"of this name. Uninstall that one, then install raif again."
        )
