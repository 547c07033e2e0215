"""Stored scores of direct answers, for `contrast: reference`: made once, with where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from raif.config import RAIFConfig
from raif.generation import Request, Sampling
from raif.generation.local import LocalModel
from raif.generation.run import complete
from rewards.caps import LengthCap
from rewards.entries import RewardConfig
from rewards.errors import RaifError
from rewards.reward_functions import RolloutReward


class References(BaseModel):
    """Outcome scores of thinking-free answers by instruction id, and what gave them.

    `rewards` are the entries that make up the outcome: scores of other entries lie on another scale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    sampling: dict[str, Any]
    rewards: list[dict[str, Any]]
    cap: LengthCap
    scores: dict[str, tuple[float | None, ...]]
    schema_version: Literal[1] = 1


def make_references(
    model: LocalModel,
    policy: str,
    rows: Sequence[Mapping[str, Any]],
    reward: RolloutReward,
    sampling: Sampling,
    count: int = 1,
    progress: Callable[[int], None] | None = None,
) -> References:
    """Sample `count` direct answers of each training row and score them as training would."""
    requests = [
        Request(f"{row['id']}|direct|{sample}", row["prompt"], think=False) for row in rows for sample in range(count)
    ]
    report = progress or (lambda done: None)
    completions = complete(model, requests, sampling, progress=lambda done, tokens: report(done))
    end = next(iter(reward.eos_token_ids))
    ids = [[0] * (c.tokens - 1) + [end if c.ended else 0] for c in completions]  # lengths and ends are all that counts
    scored = reward.breakdowns(
        [completion.text for completion in completions],
        ids,
        [row["instruction"] for row in rows for _ in range(count)],
        direct=True,
        limits=[row["cap"] for row in rows for _ in range(count)],
    )
    outcomes = [each.outcome for each in scored]
    return References(
        policy=policy,
        sampling=sampling._asdict(),
        rewards=outcome_entries(reward.scorer.rewards),
        cap=reward.cap_of(),
        scores={row["id"]: tuple(outcomes[i * count : (i + 1) * count]) for i, row in enumerate(rows)},
    )


def references_of_recipe(
    arguments: Sequence[str],
    model: str | None = None,
    count: int = 1,
    batch_size: int = 64,
    progress: Callable[[int], None] | None = None,
) -> References:
    """Make the references of a training run.

    Args:
        arguments: the flags of `raif.train`, `--config` included; data, rewards, cap, sampling and seed come from them.
        model: folder or hub name of the reference policy; by default the run's own policy.
    """
    from accelerate import PartialState

    from raif.recipes import parse_arguments
    from raif.train import build_reward, get_ready

    # contrast is left out: the recipe may already name the file that is being made
    config, options = parse_arguments([*arguments, "--contrast", "off", "--contrast_references", ""])
    ready = get_ready(config, options, PartialState(cpu=config.use_cpu))
    policy = model or ready.policy
    local = LocalModel(policy)
    reward = build_reward(config, ready.think)
    reward.eos_token_ids = frozenset(local.eos_token_ids)
    sampling = Sampling(config.max_completion_length, config.temperature, config.top_p, config.seed, batch_size)
    return make_references(local, policy, ready.data.rows, reward, sampling, count, progress)


def outcome_entries(entries: Sequence[RewardConfig]) -> list[dict[str, Any]]:
    """Return the entries that an outcome score depends on, as JSON."""
    return [entry.model_dump(mode="json") for entry in entries if getattr(entry, "outcome", entry.is_outcome)]


def read_references(config: RAIFConfig, ids: Sequence[str]) -> dict[str, tuple[float | None, ...]] | None:
    """Read the stored scores that a recipe names, for a run with these instructions; None if it names none.

    Errors: a file that is missing or no references; other rewards or another cap than the run's; no instruction of the
    run in it.
    """
    path, again = config.contrast_references, "Make references for this run with `raif references`."
    if not path:
        return None
    try:
        found = References.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise RaifError(f"contrast_references {path} cannot be read: {error.strerror}. {again}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise RaifError(
            f"contrast_references {path}: {'.'.join(map(str, first['loc']))}: {first['msg']}. {again}"
        ) from error
    entries = outcome_entries(config.reward_entries)
    if found.rewards != entries:
        raise RaifError(f"contrast_references {path} was scored with {found.rewards}, this run has {entries}. {again}")
    if found.cap != config.cap:
        raise RaifError(
            f"contrast_references {path} was made under {found.cap!r}, this run has {config.cap!r}. {again}"
        )
    if not any(id in found.scores for id in ids):
        raise RaifError(f"contrast_references {path} holds none of the {len(ids)} instructions of this run. {again}")
    return found.scores
