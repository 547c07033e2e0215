"""Who judged the answers of a question benchmark, and how: the head of its page, and its sentence on the judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raif.report.document import Note
from raif.report.facts import evaluation_facts, shown

Record = Mapping[str, Any]
MODES = {"benchmark": "as the benchmark asks", "question": "each question by itself, with a prompt of our own"}
_TOLD = ("official", "judge_mode", "language", "prompts", "judge", "consistency", "reference", "verdicts")
JUDGE = ("Judge", "Judge mode", "Asked as published", "Prompt texts", "Judge settings")  # what a verdict hangs on


def question_facts(metrics: Record) -> list[tuple[str, str]]:
    """Return the facts of an evaluation; what the judge was asked by stands in rows of its own."""
    settings = dict(metrics.get("settings") or {})
    options = settings.pop("options", None) or {}
    if settings.get("responses"):
        settings["responses"] = {arm: _counted(found) for arm, found in settings["responses"].items()}
    versions = dict(metrics.get("versions") or {})
    own = {
        "Benchmark": versions.pop("benchmark", None),
        "Edition": metrics.get("edition"),
        **judge_facts(metrics),
        "Language": options.get("language"),
        "Asked again": f"{options['consistency']} answers" if options.get("consistency") else None,
        "Compared with verdicts": options.get("reference"),
        "Shown first": f"{metrics['headline']['profile']} profile",
        "Other options": shown({key: value for key, value in options.items() if key not in _TOLD}),
    }
    head = [(label, str(value)) for label, value in own.items() if value]
    return [*head, *evaluation_facts({**metrics, "settings": settings, "versions": versions})]


def judge_facts(metrics: Record) -> dict[str, str]:
    """Return what the verdicts hang on beside the answers, by the names in `JUDGE`; what is not known is left out."""
    judge, options = metrics.get("judge"), (metrics.get("settings") or {}).get("options") or {}
    if judge is None:
        return {"Judge": "none, every question is answered by a rule"}
    mode = MODES.get(judge["mode"], judge["mode"])
    if options.get("verdicts") is not None:
        return {"Judge": f"stored verdicts ({judge['name']})", "Judge mode": mode}
    own = judge["mode"] == "benchmark"  # the one-question prompt is ours, and knows nothing else
    identity = {key: value for key, value in (options.get("judge") or {}).items() if key != "model"}
    return {
        "Judge": judge["name"],
        "Judge mode": mode,
        "Asked as published": "yes" if own and options.get("official") else "no",
        "Prompt texts": f"the user's ({options['prompts']})" if own and options.get("prompts") else "ours",
        "Judge settings": shown(identity),
    }


def _counted(responses: Record) -> dict[str, Any]:
    """Count the items without a stored answer: published verdicts may be of a few out of a thousand."""
    missing = responses.get("missing")
    return {**responses, "missing": f"{len(missing):,} items" if missing else None}


def asked(judge: Record, options: Record) -> str:
    """Say who judged, in whose words, and whether a published number was made so."""
    if options.get("verdicts") is not None:
        kept = "" if judge.get("calls") else " They were kept as yes or no, without the judge's replies."
        return f"Stored verdicts were read ({judge['name']}); no judge was asked, and what they cost is unknown.{kept}"
    again = "after an unreadable reply it is asked once more"
    said = f"Judge: {judge['name']}, asked {MODES.get(judge['mode'], judge['mode'])}"
    if judge["mode"] == "question":
        return f"{said}; {again}. No published number was made so."
    given = options.get("prompts")
    texts = f"the prompt texts that were given ({given})" if given else "prompt texts of our own"
    how = "in the way of the published code" if options.get("official") else f"in our way: {again}"
    rest = "" if given else " Published numbers were made with the benchmark's own texts."
    return f"{said}, with {texts}, {how}.{rest}"


def judges_differ(found: Mapping[str, Record]) -> Note | None:
    """Say that a change between evaluations is not of the policies alone, where their verdicts hang on other things.

    Args:
        found: the content of `metrics.json` by the label of the run.
    """
    facts = {label: judge_facts(metrics) for label, metrics in found.items()}
    differ = [name for name in JUDGE if len({each.get(name) for each in facts.values()}) > 1]
    if not differ:
        return None
    told = [
        f"{label}: " + "; ".join(f"{name.lower()} {each.get(name) or 'unknown'}" for name in differ)
        for label, each in facts.items()
    ]
    if differ == ["Judge"] and all(each["Judge"].startswith("stored") for each in facts.values()):
        return Note("The stored verdicts do not say that one judge gave them all; a change may be the judge's:", told)
    return Note("Not judged in the same way: a change is not of the policies alone.", told)
