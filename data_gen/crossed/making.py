"""Sets in MathIF's schema in which every problem stands under none, one, two and three constraints."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from data_gen import __version__
from data_gen.crossed.baselines import baseline_scores
from data_gen.crossed.design import Crossed, Design
from data_gen.crossed.kinds import KINDS
from data_gen.crossed.problems import EMBEDDED, Source, open_problems
from data_gen.shards import MANIFEST, write_file, write_json
from rewards.errors import RaifError
from rewards.parity import suite

LEVELS = ("none", "single", "double", "triple")
FIELDS = {"request": "question", "answer": "answer"}
NO_SET = "no three constraints with a witness"
KIND = "mathif-like"


def make_crossed(
    problems: str,
    out: Path,
    *,
    count: int,
    seed: int = 0,
    drop_silent: bool = False,
    fields: Mapping[str, str] = FIELDS,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write `{source}_{none|single|double|triple}.jsonl` and `manifest.json`; return the manifest.

    Args:
        problems: `embedded`, a file of questions with answers, or a folder of such files (MathIF's own among them).
        out: the folder to write.
        count: how many problems, shared equally by the sources.
        seed: decides the order of the problems and every draw; the same seed gives the same bytes.
        drop_silent: leave out constraints, and arguments, that a response without words satisfies ("." under the
            official checks).
        fields: our field -> column, as for seeds.
        overwrite: replace a set that is there.
        progress: called with the number of problems done.

    Raises:
        RaifError: if there are no such problems, too few of them, or something else in the folder.
    """
    if count < 1:
        raise RaifError(f"count {count} must be at least 1.")
    _check_folder(out, overwrite)
    sources = open_problems(problems, dict(fields), seed)
    done, crossed, designs = 0, dict[str, list[Crossed]](), dict[str, Design]()
    for source, share in zip(sources, _shares(count, len(sources)), strict=True):
        design = designs[source.name] = Design(KINDS, seed, drop_silent, list(designs.values()))
        crossed[source.name] = []
        for one in _crossed(source, design, share):
            crossed[source.name].append(one)
            done += 1
            if progress:
                progress(done)
    _clear(out)
    files = _write(crossed, out)
    manifest = {
        **_settings(problems, count, seed, drop_silent),
        "files": files,
        **_account(sources, designs, crossed),
        "baselines": {level: _scores(crossed, number) for number, level in enumerate(LEVELS)},
        "versions": _versions(),
    }
    write_json(out / MANIFEST, manifest)
    return manifest


def _check_folder(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything else, and a set that may not be replaced."""
    if out.exists() and not out.is_dir():
        raise RaifError(f"--out {out} is a file; name a folder.")
    if not out.exists() or not any(out.iterdir()):
        return
    if _kind(out) != KIND:
        raise RaifError(f"--out {out} holds something else than a MathIF-like set; name another folder.")
    if not overwrite:
        raise RaifError(f"--out {out} holds a MathIF-like set; name another folder, or replace it with --overwrite.")


def _kind(folder: Path) -> object:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest.get("kind") if isinstance(manifest, dict) else None


def _clear(out: Path) -> None:
    """Remove the set that is replaced, its manifest last."""
    if (out / MANIFEST).is_file():
        files = json.loads((out / MANIFEST).read_text(encoding="utf-8")).get("files", {})
        for name in (*files, MANIFEST):
            (out / name).unlink(missing_ok=True)


def _shares(count: int, sources: int) -> list[int]:
    """Share a number equally; the first ones get what is left.

    Example:
        >>> _shares(10, 3)
        [4, 3, 3]
    """
    return [count // sources + (number < count % sources) for number in range(sources)]


def _crossed(source: Source, design: Design, share: int) -> Iterable[Crossed]:
    """Yield as many crossed problems as wanted."""
    if not share:
        return
    found = 0
    for problem in source.problems():
        one = design.cross(problem)
        if one is None:
            source.rejected[NO_SET] += 1
            continue
        yield one
        found += 1
        if found == share:
            return
    reasons = ", ".join(f"{reason} ({n})" for reason, n in sorted(source.rejected.items())) or "none rejected"
    raise RaifError(
        f"source {source.name!r} has {found} usable problems of {source.examined}, {share} are wanted; rejected: "
        f"{reasons}. Ask for fewer by --count, or give more problems."
    )


def _write(crossed: Mapping[str, Sequence[Crossed]], out: Path) -> dict[str, Any]:
    files = {}
    for source, sets in crossed.items():
        for number, level in enumerate(LEVELS if sets else ()):
            rows = [row(source, each, number) for each in sets]
            content = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows).encode()
            name = f"{source}_{level}.jsonl"
            write_file(out / name, content)
            files[name] = {"rows": len(rows), "sha256": hashlib.sha256(content).hexdigest()}
    return files


def row(source: str, crossed: Crossed, number: int) -> dict[str, Any]:
    """Return a problem under its first `number` constraints as a row of MathIF's schema, with three fields more."""
    problem, demanded = crossed.problem, crossed.demanded[:number]
    return {
        "source": source,
        "id": f"{problem.id}-{LEVELS[number]}",
        "question": problem.question,
        "answer": problem.answer,
        "constraint_desc": [each.kind.say(each.demand.arguments) for each in demanded],
        "constraint_name": [each.demand.id for each in demanded],
        "constraint_args": [dict(each.demand.arguments) or None for each in demanded],
        "problem": problem.id,
        "witness": crossed.witnesses[number],
    }


def _settings(problems: str, count: int, seed: int, drop_silent: bool) -> dict[str, Any]:
    name = problems if problems == EMBEDDED else Path(problems).name
    return {
        "schema_version": 1,
        "kind": KIND,
        "problems": name,
        "count": count,
        "seed": seed,
        "drop_silent": drop_silent,
    }


def _account(
    sources: Sequence[Source], designs: Mapping[str, Design], crossed: Mapping[str, Sequence[Crossed]]
) -> dict[str, Any]:
    """Return how often each id occurs, and what was rejected."""
    by_level = {level: Counter[str]() for level in LEVELS}
    for design in designs.values():
        for number, level in enumerate(LEVELS):
            for position in range(number):
                by_level[level].update(design.used[position])
    refused = sum((design.refused for design in designs.values()), Counter[str]())
    return {
        "constraints": {level: _sorted(ids) for level, ids in by_level.items()},
        "sources": {
            source.name: {
                "problems": len(crossed[source.name]),
                "examined": source.examined,
                "rejected": _sorted(source.rejected),
                "constraints_by_position": [_sorted(used) for used in designs[source.name].used],
            }
            for source in sources
        },
        "sets_without_witness": _sorted(refused),
    }


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _scores(crossed: Mapping[str, Sequence[Crossed]], number: int) -> dict[str, Any]:
    return baseline_scores([(each, number) for sets in crossed.values() for each in sets])


def _versions() -> dict[str, str]:
    names = ("pydantic", "langdetect", "math-verify")
    return {
        "data_gen": __version__,
        "parity": suite("mathif").version,
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }
