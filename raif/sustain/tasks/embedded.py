"""The task sets that are made here, from the seeds of `data_gen`: nothing to fetch, and as many as are asked for.

Only seeds of the test splits are taken, so that no training row made by `data_gen` shares a task with them. The user
turn is the seed's own request, as in training data without constraints.
"""

from __future__ import annotations

from random import Random
from typing import Any, Literal, NamedTuple, cast

from pydantic import ValidationError

from data_gen.arguments import belongs_to
from data_gen.seeds import Seed, SeedSource, open_seed_set
from raif.sustain.records import Domain, Task
from rewards.errors import RaifError

COUNT = 200
_PATIENCE = 2_000  # draws in a row without a new task, after which there is none


class _Wanted(NamedTuple):
    number: int
    language: str
    source: SeedSource


def embedded_tasks(name: str, domain: Domain, place: str = "") -> list[Task]:
    """Make tasks of an embedded set, all of them different.

    Args:
        name: of the seed set.
        domain: of its tasks.
        place: how many, 200 by default; after colons their language, and options of the seed set as a data recipe has
            them, with `LOW-HIGH` for bounds and `A+B` for several: `500`, `500:zh`, `500:hops=2-3:names=24`.

    Example:
        >>> [task.gold for task in embedded_tasks("arithmetic", "math", "3")]
        ['3', '7', '7']
    """
    wanted = _parse(name, place)
    seeds = open_seed_set(wanted.source)
    found: dict[str, Task] = {}
    rng, idle = Random(f"{name}/{wanted.language}"), 0
    while len(found) < wanted.number and idle < _PATIENCE:
        seed = seeds.draw(rng, wanted.language)
        idle += 1
        if seed.id not in found and belongs_to("test", f"seed={seed.set}/{seed.id}"):
            found[seed.id], idle = _task(seed, domain), 0
    if len(found) < wanted.number:
        raise RaifError(
            f"{name}={place}: there are about {len(found)} different tasks of this kind that are held out from "
            "training; ask for at most that many."
        )
    return list(found.values())


def _parse(name: str, place: str) -> _Wanted:
    first, *others = (part.strip() for part in (place or str(COUNT)).split(":"))
    language, options = "en", dict[str, Any]()
    for each in others:
        option, equals, value = each.partition("=")
        if equals:
            options[option] = _value(option, value)
        elif each in ("en", "zh"):
            language = each
        else:
            raise _unreadable(name, place, f"{each!r} is neither a language nor an option")
    if not first.isdecimal() or int(first) < 1:
        raise _unreadable(name, place, f"{first!r} is no number of tasks")
    try:
        return _Wanted(int(first), language, SeedSource.model_validate({**options, "type": name}))
    except ValidationError as error:
        found = error.errors()[0]
        named = f"{found['loc'][0]}: " if found["loc"] else ""
        bounds = found["type"] == "tuple_type"
        told = "write bounds as LOW-HIGH" if bounds else found["msg"].removeprefix("Value error, ")
        raise _unreadable(name, place, named + told) from error


def _value(option: str, value: str) -> Any:
    if option == "inputs":
        return value.split("+")
    bounds = value.split("-")
    return bounds if len(bounds) == 2 else value


def _unreadable(name: str, place: str, reason: str) -> RaifError:
    return RaifError(
        f"{name}={place}: {reason}. {name} is made here: write {name}, {name}=500, {name}=500:zh, or options of its "
        "seed set after colons, such as multi_hop=500:hops=2-3."
    )


def _task(seed: Seed, domain: Domain) -> Task:
    if seed.answer is None or seed.answer.kind != domain:
        raise RaifError(f"seed set {seed.set!r} has no answers of the domain {domain}; it is no task set.")
    return Task(
        id=f"{seed.set}/{seed.id}",
        domain=domain,
        request=seed.request,
        answer=seed.answer,
        language=cast(Literal["en", "zh"], seed.language),
        source=seed.set,
        licence=seed.licence,
        labels=dict(tag.split("=", 1) for tag in seed.tags if "=" in tag),
    )
