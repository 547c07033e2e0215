"""How far can a judge be trusted: agreement with stored verdicts, with itself, and whether it grades its own family."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

from raif.benchmarks.items import QuestionVerdict
from raif.judge_check import compare
from rewards.judge import Opinion

Verdicts = Mapping[str, Sequence[QuestionVerdict]]  # by answer
AGAIN_TEMPERATURE = 0.7  # at which a judge is asked again, to see whether its verdicts hang on chance
_BORROWED = {"Llama", "Mistral"}  # architectures in which models of other families come
#: Names by which models of one family are known; a distilled model belongs to that of its base and of its teacher.
FAMILIES = {
    "Qwen": ("qwen", "qwq"),
    "Llama": ("llama", "vicuna"),
    "DeepSeek": ("deepseek",),
    "Mistral": ("mistral", "mixtral", "ministral", "magistral"),
    "Gemma": ("gemma", "gemini"),
    "GPT": ("gpt", "chatgpt", "o1", "o3", "o4"),
    "Claude": ("claude",),
    "GLM": ("glm", "chatglm"),
    "InternLM": ("internlm",),
    "Yi": ("yi",),
    "Phi": ("phi",),
    "Baichuan": ("baichuan",),
    "Kimi": ("kimi", "moonshot"),
    "ERNIE": ("ernie",),
    "Olmo": ("olmo",),
}


def agreement(reference: Verdicts, judged: Verdicts) -> dict[str, Any]:
    """Compare verdicts with those of a reference, question by question, on the answers that both judged.

    Returns: agreement with Wilson's interval, Cohen's kappa, the confusion table, and the judge's abstentions; the
        reference's unreadable verdicts and those that need no judge are left out and counted.
    """
    labels: list[bool] = []
    opinions: list[Opinion] = []
    left_out = 0
    for key in reference.keys() & judged.keys():
        said = {verdict.id: verdict for verdict in judged[key]}
        for verdict in reference[key]:
            if verdict.id not in said or not verdict.applies:
                continue
            if verdict.value is None:
                left_out += 1
                continue
            labels.append(verdict.value >= 1)
            opinions.append(_opinion(said[verdict.id]))
    return {**compare(labels, opinions).record(), "reference_unreadable": left_out, "answers": len(judged)}


def _opinion(verdict: QuestionVerdict) -> Opinion:
    if verdict.value is None:
        return Opinion(None, None, verdict.reason, "unparsed")
    return Opinion(verdict.value >= 1)


def families(model: str) -> set[str]:
    """Return the families that a model's name speaks of.

    Example:
        >>> sorted(families("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B")), families("outputs/policy")
        (['DeepSeek', 'Qwen'], set())
    """
    split = re.split(r"[^a-z0-9.]+", model.lower())
    words = {*split, *(word.rstrip("0123456789.") for word in split)}
    return {family for family, names in FAMILIES.items() if any(_names(name, words) for name in names)}


def _names(name: str, words: Set[str]) -> bool:
    """Tell whether a name is one of the words or, if it is long enough to mean nothing else, a part of one."""
    return name in words or (len(name) > 3 and any(name in word for word in words))


def _families(identity: Mapping[str, Any]) -> set[str]:
    """Return the families of a model's name and, where its folder is here, of its architecture."""
    model = str(identity.get("model", ""))
    with suppress(OSError, ValueError, AttributeError):  # no folder, or no readable configuration in it
        kind = json.loads((Path(model) / "config.json").read_text(encoding="utf-8")).get("model_type", "")
        return families(model) | (families(str(kind)) - _BORROWED)
    return families(model)


def kinship(policy: Mapping[str, Any] | None, judge: Mapping[str, Any] | None) -> str:
    """Return a warning where policy and judge are one model or of one family, else "".

    Args:
        policy, judge: identities of their generators.

    Example:
        >>> kinship({"model": "Qwen2.5-7B-Instruct"}, {"model": "Qwen/Qwen2.5-72B-Instruct"}).partition(":")[0]
        'policy and judge are of one family (Qwen)'
    """
    if not policy or not judge:
        return ""
    if (policy.get("digest") and policy.get("digest") == judge.get("digest")) or policy.get("model") == judge.get(
        "model"
    ):
        return "policy and judge are the same model: a judge favours its own answers; take another judge."
    shared = _families(policy) & _families(judge)
    if not shared:
        return ""
    named = ", ".join(sorted(shared))
    return (
        f"policy and judge are of one family ({named}): a judge favours answers of its own kind; compare with another "
        "judge."
    )
