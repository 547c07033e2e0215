"""An output folder belongs to one recipe, data included: what may change when a run goes on, and what may not."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from accelerate import PartialState
from accelerate.utils import broadcast_object_list
from trl import ModelConfig

from raif.config import RAIFConfig, resolved
from raif.json_files import write_whole
from rewards.errors import RaifError

logger = logging.getLogger("raif")
CONFIG, DONE = "config.json", "done.json"
T = TypeVar("T")

# What does not decide which update a step makes. Paths of data are here because the rows themselves are compared.
FREE = frozenset(
    "output_dir instructions experts max_steps max_rollout_tokens num_train_epochs resume_from_checkpoint "
    "resume_with_changes dry_run on_reward_error record_rollouts cpu_threads local_rank ddp_timeout ddp_backend "
    "do_eval do_predict do_train eval_strategy eval_steps eval_delay eval_on_start eval_splits eval_limit "
    "per_device_eval_batch_size num_generations_eval eval_accumulation_steps metric_for_best_model greater_is_better "
    "load_best_model_at_end save_strategy save_steps save_total_limit save_on_each_node enable_jit_checkpoint "
    "logging_strategy logging_steps logging_first_step logging_nan_inf_filter log_level log_level_replica "
    "log_on_each_node log_completions log_completions_hub_repo log_unique_prompts log_multimodal "
    "num_completions_to_print report_to run_name project trackio_space_id trackio_static_space_id trackio_bucket_id "
    "disable_tqdm skip_memory_metrics debug include_num_input_tokens_seen push_to_hub hub_model_id hub_token "
    "hub_private_repo hub_always_push hub_revision hub_strategy dataloader_num_workers dataloader_pin_memory "
    "sustain_guard sustain_guard_items sustain_guard_steps sustain_guard_alarm "
    "dataloader_persistent_workers dataloader_prefetch_factor dataloader_multiprocessing_context "
    "vllm_server_host vllm_server_port vllm_server_base_url vllm_server_timeout vllm_group_port "
    "vllm_gpu_memory_utilization vllm_enable_sleep_mode".split()
)


def run_settings(
    config: RAIFConfig, model: ModelConfig, rows: Iterable[Mapping[str, Any]], ranks: int
) -> dict[str, Any]:
    """Return every setting of a run with the digest of its training rows, as `config.json` holds them."""
    settings = resolved(config, model) | {"data": {"rows_digest": rows_digest(rows)}, "launch": {"ranks": ranks}}
    plain: dict[str, Any] = json.loads(json.dumps(settings, default=str))
    return plain


def rows_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a digest of rows in their order.

    Example:
        >>> rows_digest([{"id": "a", "cap": 0}]) == rows_digest([{"cap": 0, "id": "a"}])
        True
    """
    found = hashlib.sha256()
    for row in rows:
        found.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
    return found.hexdigest()[:16]


def open_run(output: Path, settings: Mapping[str, Any], resume_with_changes: bool = False) -> bool:
    """Bind a folder to the settings of a run; return whether that run is finished already and nothing is left to do.

    A folder in which nothing was trained yet is free. Settings in `FREE` may change at any time.

    Args:
        settings: see `run_settings`.
        resume_with_changes: go on with other settings; those of before stay as `config.N.json`.

    Raises:
        RaifError: if the folder holds a run with other settings; the message names them.
    """
    before = _recorded(output)
    differences = _differences(before, settings) if before else []
    if differences and not resume_with_changes:
        raise RaifError(
            f"{output} holds a run with other settings: {'; '.join(differences)}. Start a run of its own with another "
            "--output_dir, or go on from the last checkpoint with --resume_with_changes true."
        )
    if before and _is_finished(output, before, settings):
        return True
    if differences:
        logger.warning("going on in %s with other settings: %s", output, "; ".join(differences))
        (output / CONFIG).rename(_free_number(output))
    (output / DONE).unlink(missing_ok=True)
    write_json(output / CONFIG, settings)
    return False


def finish_run(output: Path, steps: int, ranks: int) -> None:
    """Note that a run has come to its end."""
    write_json(output / DONE, {"steps": steps, "ranks": ranks})


def decided_by_main(decide: Callable[[], T]) -> T:
    """Let the main rank decide and tell the others; a `RaifError` there is raised on all ranks, so that none waits."""
    found: list[Any] = [None, None]
    if PartialState().is_main_process:
        try:
            found[0] = decide()
        except RaifError as error:
            found[1] = str(error)
    broadcast_object_list(found)
    if found[1] is not None:
        raise RaifError(found[1])
    decision: T = found[0]
    return decision


def write_json(path: Path, content: Any) -> None:
    """Write a file that appears at once and whole, in a folder that is made if need be."""
    write_whole(path, json.dumps(content, indent=2, default=str) + "\n")


def _recorded(output: Path) -> dict[str, Any]:
    """Return the settings of the run in a folder; nothing if it was never trained."""
    metrics = output / "metrics.jsonl"
    has_trained = any(output.glob("checkpoint-*")) or (metrics.is_file() and metrics.stat().st_size > 0)
    if not (output / CONFIG).is_file() or not (has_trained or (output / DONE).is_file()):
        return {}
    try:
        found: dict[str, Any] = json.loads((output / CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise RaifError(f"{output / CONFIG} cannot be read: {error}. Name another --output_dir.") from error
    return found


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Describe every bound setting that differs; one that only one side has counts as its default on the other."""
    defaults = _defaults()
    found = []
    for section in dict.fromkeys((*before, *now)):
        old, new = before.get(section) or {}, now.get(section) or {}
        for name in dict.fromkeys((*old, *new)):
            if name in FREE or (section not in before and name not in defaults):
                continue  # an older release recorded neither data nor ranks
            was, is_now = old.get(name, defaults.get(name)), new.get(name, defaults.get(name))
            if was != is_now:
                found.append(_described(name, was, is_now))
    return found


def _described(name: str, was: Any, is_now: Any) -> str:
    if name == "rows_digest":
        return f"the training rows have changed (digest {is_now}, was {was})"
    return f"{name} is {_short(is_now)}, was {_short(was)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _defaults() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in (*dataclasses.fields(RAIFConfig), *dataclasses.fields(ModelConfig)):
        if field.default is not dataclasses.MISSING:
            found[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return plain


def _is_finished(output: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether a run ended at the length that is asked for now, or beyond."""
    if not (output / DONE).is_file():
        return False
    asked, had = now["training"], before["training"]
    if asked["max_steps"] > 0:
        steps: int = json.loads((output / DONE).read_text(encoding="utf-8"))["steps"]
        return bool(asked["max_steps"] <= steps)
    return had["max_steps"] <= 0 and bool(asked["num_train_epochs"] <= had["num_train_epochs"])


def _free_number(output: Path) -> Path:
    paths = (output / f"config.{number}.json" for number in range(1, 1000))
    return next(path for path in paths if not path.exists())
