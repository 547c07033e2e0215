"""Compare the full method with plain GRPO, contrast alone, cloning alone and SFT, over several seeds; print a table.

    python tests/benchmarks/methods.py --out runs/methods [--seeds 0 1 2 3 4] [--jobs 2] [--steps 105]

Every seed has data, an embedded policy and held-out instructions of its own, which its arms share; all are evaluated on
the same prompts with the same sampling seed. SFT is trained on as many completion tokens as the full method was
(thinking rollouts and cloned experts). Whatever is finished is skipped when the command is started again, and a killed
training resumes from its last checkpoint. Writes `table.md` and `results.json`; five seeds take a night on one core.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import multiprocessing
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import t

from data_gen.config import load_yaml, parse_config
from data_gen.shards import WARM_START
from raif.evaluation.runner import load_evaluation
from raif.evaluation.stats import CONFIDENCE, MIN_ITEMS, RESAMPLES
from raif.recipes import load_recipe
from raif.resources import find_recipe
from raif.rollouts import read_jsonl, read_rollouts

REPOSITORY = Path(__file__).resolve().parents[2]
BEFORE, PLAIN, FULL, SFT = "before", "grpo", "full", "sft"
OFF = {"contrast": "off", "cloning_coefficient": 0.0}
CONTRAST = {"contrast": "online", "contrast_level": "rollout"}
#: What each arm changes in the training recipe, whose own cloning settings `cloning` and `full` take over.
ARMS: dict[str, dict[str, Any]] = {
    PLAIN: OFF,
    "contrast": OFF | CONTRAST,
    "contrast-prompt": OFF | {"contrast": "online", "contrast_level": "prompt", "contrast_statistic": "max_min"},
    "cloning": {"contrast": "off"},
    FULL: CONTRAST,
    SFT: {},
}
LABELS = {
    BEFORE: "before training",
    PLAIN: "plain GRPO",
    "contrast": "GRPO + contrast (rollouts)",
    "contrast-prompt": "GRPO + contrast (prompts, the paper's rule)",
    "cloning": "GRPO + cloning",
    FULL: "full method (contrast of rollouts + cloning)",
    SFT: "SFT, as many tokens",
}
METRICS = ("hacc", "sacc", "correct", "truncated", "tokens")


class Settings(NamedTuple):
    """What a comparison is; a folder holds one. Seeds and arms can be added later."""

    data: str
    train: str
    sft: str
    steps: int
    eval_limit: int


# ---- running ------------------------------------------------------------------------------------------------------


def run_seed(settings: Settings, arms: Sequence[str], folder: Path, seed: int) -> None:
    """Make data and policy, then train and evaluate every arm; finished pieces are skipped."""
    from raif.tiny import ensure_policy

    recipe = find_recipe(settings.data)
    make_data(recipe, folder / "data", seed)
    policy = ensure_policy(folder / "data" / WARM_START, folder / "policy", seed)
    evaluate_policy(settings, folder, BEFORE, policy, seed)
    for arm in arms:
        train_arm(settings, folder, arm, policy, seed)
        evaluate_policy(settings, folder, arm, folder / arm / "final", seed)
        print(f"seed {seed}: {arm} is done", flush=True)


def make_data(recipe: Path, out: Path, seed: int) -> None:
    """Make the data of a seed; what is there already is kept."""
    from data_gen.pipeline import make_dataset

    make_dataset(parse_config({**load_yaml(recipe), "seed": seed}, str(recipe)), out)


def train_arm(settings: Settings, folder: Path, arm: str, policy: Path, seed: int) -> None:
    """Train an arm in a process of its own, as a user would."""
    out = folder / arm
    if (out / "done.json").is_file():
        return
    options: dict[str, Any] = {
        "config": settings.sft if arm == SFT else settings.train,
        "model_name_or_path": policy,
        "instructions": folder / "data",
        "output_dir": out,
        "seed": seed,
        "cpu_threads": 1,
        "disable_tqdm": "true",
    }
    if arm == SFT:
        options["max_completion_tokens"] = sum(trained_tokens(folder / FULL, folder / "data", policy))
    else:
        options |= {"max_steps": settings.steps} | ARMS[arm]
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "raif.sft" if arm == SFT else "raif.train", *flags]
    environment = os.environ | {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
    with (folder / f"{arm}.log").open("a", encoding="utf-8") as log:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)  # inherited: held until the training itself has ended
        except BlockingIOError:
            raise SystemExit(f"a training started earlier is still writing to {out}; wait for it or end it.") from None
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise SystemExit(f"{arm} of seed {seed} ended with exit code {done.returncode}; see {log.name}.")


def trained_tokens(out: Path, data: Path, policy: Path) -> tuple[int, int]:
    """Return the completion tokens that a GRPO run had in its loss: those of thinking rollouts, and of cloned experts.

    An expert is cloned once for every prompt of a step, if it fits the cap (`cloning_gate: always`).
    """
    from transformers import AutoTokenizer

    from data_gen.shards import read_data
    from raif.chat import ChatFormat
    from raif.data import training_rows

    settings = json.loads((out / "config.json").read_text(encoding="utf-8"))["training"]
    rollouts = [r for path in sorted(out.glob("rollouts/*.jsonl")) for r in read_rollouts(path) if not r.direct]
    chat = ChatFormat(AutoTokenizer.from_pretrained(policy))
    rows = training_rows(read_data(data, "train"), chat.probe(), settings["system_prompt"])
    lengths = {row["id"]: 1 + len(chat.ids([row["expert"]])[0]) for row in rows if row["expert"]}
    if settings["cloning_coefficient"] == 0:
        lengths = {}
    elif settings["cloning_gate"] != "always" or settings["cloning_source"] != "prompts":
        raise SystemExit("the tokens of the full method can be told only for cloning_gate: always, source: prompts.")
    groups = {(r.step, r.group, r.instruction_id) for r in rollouts}
    experts = [lengths.get(instruction, 0) for _, _, instruction in groups]
    cloned = sum(length for length in experts if length <= settings["max_completion_length"])
    return sum(r.completion_tokens for r in rollouts), cloned


def evaluate_policy(settings: Settings, folder: Path, name: str, model: Path, seed: int) -> None:
    """Evaluate on the held-out instructions of the seed."""
    from raif.evaluation.runner import evaluate_model
    from raif.generation import Sampling
    from raif.run import select_instructions
    from raif.suites import suite
    from raif.suites.instructions import items_of

    cap = int(load_recipe(settings.train)["max_completion_length"])
    items = items_of(select_instructions(folder / "data", "test", settings.eval_limit))
    sampling = Sampling(cap=cap, seed=seed)
    evaluate_model(str(model), suite("instructions"), items, sampling, folder / "evaluation" / name)


# ---- intervals over seeds and instructions ------------------------------------------------------------------------


def intervals(columns: Sequence[np.ndarray], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, low and high of every column: means over seeds of means over instructions, with 95 % intervals.

    Args:
        columns: for each seed an array (instructions, columns); NaN where an instruction has no value.
        seed: of the resampling.

    Hierarchical bootstrap: seeds are drawn with replacement, then for each drawn seed its instructions. The same draws
    serve every column, so a column of differences is resampled in pairs. With one seed the interval is over
    instructions alone; a column with fewer than 20 values in some seed has none (NaN).

    In simulations with five seeds it covers 95 % or more while seeds differ less than the means over instructions are
    uncertain, and 84 to 89 % when seeds differ much more; `over_seeds` covers 95 % throughout.
    """
    rng = np.random.default_rng(seed)
    count = len(columns)
    total = np.zeros((RESAMPLES, columns[0].shape[1]))
    drawn = rng.integers(count, size=(RESAMPLES, count))
    for slot in range(count):
        for number, values in enumerate(columns):
            rows = np.flatnonzero(drawn[:, slot] == number)
            weights = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=len(rows)).astype(float)
            present = ~np.isnan(values)
            with np.errstate(invalid="ignore"):
                total[rows] += (weights @ np.where(present, values, 0.0)) / (weights @ present)
    centre = np.mean([np.nanmean(values, axis=0) for values in columns], axis=0)
    bounds = np.quantile(total / count, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    bounds[:, np.min([(~np.isnan(values)).sum(axis=0) for values in columns], axis=0) < MIN_ITEMS] = np.nan
    return centre, *bounds


def over_seeds(means: Sequence[float]) -> list[float] | None:
    """Return mean, low and high of Student's t interval over the means of seeds; None for a single seed.

    Every seed has instructions of its own, so its mean carries their variation too.

    Example:
        >>> [round(x, 2) for x in over_seeds([0.10, 0.12, 0.14])]
        [0.12, 0.07, 0.17]
    """
    if len(means) < 2:
        return None
    half = t.ppf((1 + CONFIDENCE) / 2, len(means) - 1) * np.std(means, ddof=1) / np.sqrt(len(means))
    return [float(np.mean(means)), float(np.mean(means) - half), float(np.mean(means) + half)]


# ---- the table ----------------------------------------------------------------------------------------------------


def item_values(folder: Path) -> np.ndarray:
    """Return (instructions, metrics), by instruction id and in the order of METRICS; NaN where there is no value."""
    rollouts = sorted(load_evaluation(folder)[1], key=lambda r: r.instruction_id)
    rows = [(r.hard, r.soft, r.correct, r.finish_reason == "length", r.completion_tokens) for r in rollouts]
    return np.array([[np.nan if value is None else float(value) for value in row] for row in rows])


def collect(out: Path, arms: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
    """Return every arm's metrics with intervals, its differences to plain GRPO, and its figures of training."""
    folders = [out / f"seed{seed}" for seed in seeds]
    values = {arm: [item_values(folder / "evaluation" / arm) for folder in folders] for arm in (BEFORE, *arms)}
    blocks = {(arm, "mean"): per_seed for arm, per_seed in values.items()}
    for arm in values:
        if PLAIN in values and arm != PLAIN:
            blocks[arm, "difference"] = [a - b for a, b in zip(values[arm], values[PLAIN], strict=True)]
    columns = [np.hstack(of_seed) for of_seed in zip(*blocks.values(), strict=True)]
    estimates = np.stack(intervals(columns), axis=1).reshape(len(blocks), len(METRICS), 3)
    results: dict[str, Any] = {arm: {} for arm in values}
    for (arm, kind), estimate in zip(blocks, estimates.tolist(), strict=True):
        results[arm][kind] = dict(zip(METRICS, map(none_of_nan, estimate), strict=True))
        means = zip(*(np.nanmean(array, axis=0) for array in blocks[arm, kind]), strict=True)
        results[arm][f"{kind}_over_seeds"] = dict(zip(METRICS, map(over_seeds, means), strict=True))
    for arm, per_seed in values.items():
        means = [np.nanmean(array, axis=0).tolist() for array in per_seed]
        results[arm]["seeds"] = [dict(zip(METRICS, mean, strict=True)) for mean in means]
        results[arm]["instructions"] = [len(array) for array in per_seed]
        results[arm]["unscored"] = [int(np.isnan(array[:, 0]).sum()) for array in per_seed]
    for arm in arms:
        results[arm]["training"] = [training_figures(folder, arm) for folder in folders]
    return results


def none_of_nan(values: Sequence[float]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values]


def training_figures(folder: Path, arm: str) -> dict[str, Any]:
    """Return steps, trained tokens, keep ratio and the loss on experts at both ends (over a tenth of the steps)."""
    done = json.loads((folder / arm / "done.json").read_text(encoding="utf-8"))
    logged = read_jsonl(folder / arm / "metrics.jsonl")
    loss = series(logged, "loss" if arm == SFT else "cloning/loss")
    keep = series(logged, "contrast/keep_ratio")
    tenth = max(1, len(loss) // 10)
    rollouts, experts = (0, done["completion_tokens"]) if arm == SFT else arm_tokens(folder, arm)
    return {
        "steps": done["steps"],
        "rollout_tokens": rollouts,
        "expert_tokens": experts,
        "keep_ratio": float(np.mean(keep)) if keep else None,
        "expert_loss_first": float(np.mean(loss[:tenth])) if loss else None,
        "expert_loss_last": float(np.mean(loss[-tenth:])) if loss else None,
    }


def arm_tokens(folder: Path, arm: str) -> tuple[int, int]:
    return trained_tokens(folder / arm, folder / "data", folder / "policy")


def series(logged: Sequence[dict[str, Any]], name: str) -> list[float]:
    return [row[name] for row in logged if row.get(name) is not None]


def markdown(results: dict[str, Any]) -> str:
    """Return two tables: outcomes with intervals, and what training did."""
    lines = ["| method | HAcc | vs plain | SAcc | vs plain | answer correct | vs plain | tokens | truncated |"]
    lines.append("|---" * 9 + "|")
    for arm, result in results.items():
        cells = [LABELS[arm]]
        for name in ("hacc", "sacc", "correct"):
            cells.append(shown(result["mean"][name]))
            cells.append(shown(result["difference"][name], signed=True) if "difference" in result else "")
        mean = result["mean"]
        cells += [f"{mean['tokens'][0]:.0f}", f"{100 * mean['truncated'][0]:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    titles = ["method", "HAcc vs plain, t over seeds", "SAcc", "rollout tokens trained", "expert tokens", "keep ratio"]
    lines += ["", f"| {' | '.join([*titles, 'loss on experts, first to last tenth'])} |", "|---" * 7 + "|"]
    for arm, result in results.items():
        if "training" in result:
            rollouts, experts, keep, first, last = (
                averaged(result["training"], name)
                for name in ("rollout_tokens", "expert_tokens", "keep_ratio", "expert_loss_first", "expert_loss_last")
            )
            gains = result.get("difference_over_seeds", {})
            cells = [LABELS[arm], *(shown(gains[m], signed=True) if gains.get(m) else "" for m in ("hacc", "sacc"))]
            cells += [f"{rollouts:,.0f}", f"{experts:,.0f}", "" if keep is None else f"{keep:.3f}"]
            cells.append("" if first is None else f"{first:.2f} to {last:.2f}")
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def averaged(figures: Sequence[dict[str, Any]], name: str) -> float | None:
    found = [figure[name] for figure in figures if figure[name] is not None]
    return float(np.mean(found)) if found else None


def shown(estimate: Sequence[float | None], signed: bool = False) -> str:
    """Return percentages, `12.3 [10.0, 14.6]`, without the interval where there is none."""
    sign = "+" if signed else ""
    value, *bounds = (f"{100 * part:{sign}.1f}" for part in estimate if part is not None)
    return f"{value} [{', '.join(bounds)}]" if bounds else value


# ---- the command --------------------------------------------------------------------------------------------------


def claim(out: Path, settings: Settings) -> dict[str, Any]:
    """Bind a folder to its settings and return them; going on with others would mix two comparisons."""
    from raif.sft import SFTArguments

    content = settings._asdict() | {"arms": ARMS, "sft_recipe": load_recipe(settings.sft, SFTArguments)}
    content |= {"data_recipe": load_yaml(find_recipe(settings.data)), "train_recipe": load_recipe(settings.train)}
    content = json.loads(json.dumps(content))
    path = out / "settings.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != content:
        raise SystemExit(f"{out} holds a comparison with other settings (see {path}); choose another --out.")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return content


def provenance() -> dict[str, Any]:
    """Return commit (with `+` if files were changed), versions and the processor count."""
    git = ["git", "-C", str(REPOSITORY)]
    commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=False).stdout
    names = ("torch", "transformers", "trl", "accelerate", "numpy")
    versions = {"python": platform.python_version()} | {name: version(name) for name in names}
    return {"commit": commit.strip() + "+" * bool(changed.strip()), "versions": versions, "cores": os.cpu_count()}


def compare(out: Path, settings: Settings, arms: Sequence[str], seeds: Sequence[int], jobs: int) -> str:
    """Run what is missing, write `results.json` and `table.md`, and return the table."""
    content = claim(out, settings)
    work = [(settings, arms, out / f"seed{seed}", seed) for seed in seeds]
    if jobs == 1:
        for arguments in work:
            run_seed(*arguments)
    else:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            for future in [pool.submit(run_seed, *arguments) for arguments in work]:
                future.result()
    results = collect(out, arms, seeds)
    record = {"seeds": list(seeds), "settings": content, **provenance(), "arms": results}
    (out / "results.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    table = markdown(results)
    (out / "table.md").write_text(table, encoding="utf-8")
    return table


def parse_command(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/methods"))
    parser.add_argument("--arms", nargs="+", choices=[*ARMS], default=[*ARMS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--jobs", type=int, default=1, help="seeds that run at the same time")
    parser.add_argument("--steps", type=int, default=105, help="optimiser steps of the GRPO arms")
    parser.add_argument("--eval-limit", type=int, default=0, help="held-out instructions; 0 for all")
    parser.add_argument("--data", default="data/demo", help="data recipe")
    parser.add_argument("--train", default="smoke/demo-train", help="training recipe of the GRPO arms")
    parser.add_argument("--sft", default="sft/embedded", help="training recipe of SFT")
    parsed = parser.parse_args(arguments)
    if SFT in parsed.arms and FULL not in parsed.arms:
        parser.error(f"--arms {SFT} takes its number of tokens from {FULL}; name both.")
    parsed.arms = [arm for arm in ARMS if arm in parsed.arms]  # the full method comes before SFT
    return parsed


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison and print its table."""
    from raif.monitoring import quiet_libraries

    quiet_libraries()
    chosen = parse_command(arguments)
    settings = Settings(chosen.data, chosen.train, chosen.sft, chosen.steps, chosen.eval_limit)
    print(compare(chosen.out, settings, chosen.arms, chosen.seeds, chosen.jobs))


if __name__ == "__main__":
    main()
