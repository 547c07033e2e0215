"""The head of a run: what one needs to know to run it again, as labels and values; unknown ones are left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
TRUNCATION = {
    "zero": "a truncated rollout earns 0",
    "penalty": "a truncated rollout earns a penalty",
    "mask": "a truncated rollout is left out of the loss",
    "score": "a truncated rollout is scored as it stands",
}
JUDGED = "cut thinking has no answer and satisfies nothing"
CUT = "a truncated output scores 0, in every arm"  # of SUSTAIN


def pipeline_facts(summary: Record, config: Record) -> list[tuple[str, str]]:
    """Return the facts of a pipeline run."""
    facts = {
        "Policy": config.get("model", {}).get("model_name_or_path"),
        "Training": _text(summary.get("training_steps"), "{} steps"),
        "Seed": _text(summary.get("seed")),
        "Commit": summary.get("commit"),
        "Time": duration(summary.get("seconds")),
        "Cap": _text(cap(summary, config), "{} tokens"),
        "At the cap": _policy(config),
        "Sampling": _sampling(summary.get("sampling"), ("temperature", "top_p", "seed")),
        **_mechanics(config),
        "Versions": _versions(summary),
    }
    return _known(facts)


def training_facts(config: Record, done: Record, launch: Record) -> list[tuple[str, str]]:
    """Return the facts of a training."""
    training = config.get("training", {})
    facts = {
        "Recipe": launch.get("recipe"),
        "Policy": config.get("model", {}).get("model_name_or_path"),
        "Training": _text(done.get("steps"), "{} steps")
        or _text(training.get("max_steps"), "up to {} steps, unfinished"),
        "Seed": _text(training.get("seed")),
        "Commit": launch.get("commit"),
        "Cap": _text(training.get("max_completion_length"), "{} tokens"),
        "At the cap": _policy(config),
        "Rollouts per prompt": _text(training.get("num_generations")),
        "Learning rate": _text(training.get("learning_rate")),
        **_mechanics(config),
        "Versions": _versions(launch),
    }
    return _known(facts)


def evaluation_facts(metrics: Record) -> list[tuple[str, str]]:
    """Return the facts of an evaluation."""
    settings = metrics.get("settings") or {}
    sampling = settings.get("sampling") or {}
    known = {"model", "sampling", "cap", "seed", "arms", "samples", "system_prompt", "data", "suite", "items"}
    facts = {
        "Suite": metrics.get("suite"),
        "Policy": settings.get("model") or (settings.get("generator") or {}).get("model"),
        "Data": _text(settings.get("data")),
        "Items": f"{metrics['n']:,}" if isinstance(metrics.get("n"), int) else None,
        "Samples per item": _text(metrics.get("samples")),
        "Arms": _arms(settings.get("arms")),
        "Cap": _text(sampling.get("cap", settings.get("cap")), "{} tokens"),
        "At the cap": CUT if metrics.get("suite") == "sustain" else JUDGED,
        "Sampling": _sampling(sampling, ("temperature", "top_p", "seed")),
        "System prompt": settings.get("system_prompt"),
        **{_label(key): shown(value) for key, value in settings.items() if key not in known},
        "Commit": metrics.get("commit"),
        "Versions": _versions(metrics),
    }
    return _known(facts)


def settings_facts(record: Record, first: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of an experiment or an ablation: `first`, then its settings, commit and versions."""
    settings = record.get("settings") or {}
    facts = {**first, **{_label(key): shown(value) for key, value in settings.items()}}
    return _known({**facts, "Commit": record.get("commit"), "Versions": _versions(record)})


def cap(summary: Record, config: Record) -> Any:
    """Return the cap of a pipeline run."""
    return config.get("training", {}).get("max_completion_length") or (summary.get("sampling") or {}).get("cap")


def shown(value: Any) -> str:
    """Write a setting for reading.

    Example:
        >>> shown({"cap": 64, "seed": 0}), shown([1, 2]), shown(None)
        ('cap 64, seed 0', '1, 2', '')
    """
    if value is None or value == {} or value == []:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(inner)}" for key, inner in value.items() if shown(inner))
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    return value if isinstance(value, str) else json.dumps(value)


def duration(seconds: float | None) -> str:
    """Write a number of seconds for reading.

    Example:
        >>> duration(3723.4)
        '1 h 2 min 3 s'
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if hours or minutes else "", f"{rest} s"]
    return " ".join(part for part in parts if part)


def _known(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(label, str(value)) for label, value in facts.items() if value]


def _label(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _text(value: Any, pattern: str = "{}") -> str:
    return "" if value is None else pattern.format(value)


def _arms(arms: Any) -> str:
    return shown(arms) if isinstance(arms, list | tuple) else _text(arms)


def _policy(config: Record) -> str:
    policy = config.get("training", {}).get("on_truncation")
    return f"on_truncation: {policy} ({TRUNCATION.get(policy, 'see the recipe')})" if policy else ""


def _sampling(sampling: Any, names: Sequence[str]) -> str:
    return ", ".join(f"{key} {sampling[key]}" for key in names if key in (sampling or {}))


def _versions(record: Record) -> str:
    return ", ".join(f"{name} {version}" for name, version in (record.get("versions") or {}).items())


def _mechanics(config: Record) -> dict[str, str]:
    training = config.get("training", {})
    return {
        "Contrast": _mechanic(training, "contrast", ("level", "statistic", "margin")),
        "Cloning": _mechanic(training, "cloning", ("coefficient", "schedule", "gate")),
    }


def _mechanic(training: Record, name: str, details: Sequence[str]) -> str:
    """Describe contrast or cloning by its settings; nothing if the configuration is not known."""
    switch = training.get(name, training.get(f"{name}_{details[0]}"))
    if switch is None:
        return ""
    if switch in ("off", 0):
        return "off"
    head = [str(training[name])] if name in training else []
    return ", ".join([*head, *(f"{key} {training.get(f'{name}_{key}')}" for key in details)])
