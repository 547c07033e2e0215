"""Time our verifiers against the official ones on the same texts, in one process and one run, and print ratios.

    pip install --no-deps lm-eval && pip install nltk immutabledict absl-py emoji syllapy
    python tests/benchmarks/verifiers.py --data DIR [--lm-eval] [--ifbench CHECKOUT] [--mathif CHECKOUT]

`DIR` holds `ifeval/input_data.jsonl`, `ifeval/gpt4_responses_20231107.jsonl`, `ifbench/IFBench_test.jsonl`,
`ifbench/sample_output.jsonl` and `mathif/*.jsonl`. NLTK finds its `punkt_tab` (and, for IFBench, the tagger) through
NLTK_DATA. Every pass builds the checkers from their arguments and judges every response; ours and theirs alternate.
The first pass is cold (nothing remembered about any word), the others are warm; the median of the warm ones counts.
MathIF publishes no responses: its constraints are judged on the IFEval responses, in turn.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import statistics
import sys
import time
import types
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from rewards import Context, RaifError, Response
from rewards.parity import suite
from rewards.parity.equivalents import strict_constraints
from rewards.parity.protocol import Variants

LANGUAGE_IDS = {"language:response_language", "change_case:english_capital", "change_case:english_lowercase"}


class Item(NamedTuple):
    """One response with the official ids and arguments it is judged by."""

    response: str
    checks: tuple[tuple[str, dict[str, Any]], ...]


class Contest(NamedTuple):
    """A workload, our suite's name, and the official registry."""

    name: str
    suite: str
    items: list[Item]
    registry: dict[str, Any]


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line.strip()]


def answered_items(tasks: Path, answers: Path) -> list[Item]:
    """Join tasks and responses by the stripped prompt, as the files differ in blanks at its end."""
    responses = {row["prompt"].strip(): row["response"] for row in rows(answers)}
    return [
        Item(responses[row["prompt"].strip()], checks(row["instruction_id_list"], row["kwargs"]))
        for row in rows(tasks)
        if row["prompt"].strip() in responses
    ]


def ifeval_items(data: Path) -> list[Item]:
    return answered_items(data / "ifeval" / "input_data.jsonl", data / "ifeval" / "gpt4_responses_20231107.jsonl")


def ifbench_items(data: Path) -> list[Item]:
    return answered_items(data / "ifbench" / "IFBench_test.jsonl", data / "ifbench" / "sample_output.jsonl")


def mathif_items(data: Path) -> list[Item]:
    texts = [item.response for item in ifeval_items(data)]
    problems = [row for path in sorted((data / "mathif").glob("*.jsonl")) for row in rows(path)]
    return [
        Item(texts[index % len(texts)], checks(row["constraint_name"], row["constraint_args"]))
        for index, row in enumerate(problems)
    ]


def checks(ids: Sequence[str], kwargs: Sequence[dict[str, Any] | None]) -> tuple[tuple[str, dict[str, Any]], ...]:
    given = [{key: value for key, value in (one or {}).items() if value is not None} for one in kwargs]
    return tuple(zip(ids, given, strict=True))


def stub_packages(name: str, folder: Path) -> None:
    """Make a package importable without running its __init__, which may need far more than its checkers do."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def lm_eval_registry() -> dict[str, Any]:
    found = importlib.util.find_spec("lm_eval")
    if found is None or found.submodule_search_locations is None:
        raise RaifError("lm-eval is not installed; run `pip install --no-deps lm-eval` or leave --lm-eval out.")
    folder = Path(next(iter(found.submodule_search_locations)))
    for name, place in (("lm_eval", folder), ("lm_eval.tasks", folder / "tasks")):
        stub_packages(name, place)
    return importlib.import_module("lm_eval.tasks.ifeval.instructions_registry").INSTRUCTION_DICT


def ifbench_registry(checkout: Path) -> dict[str, Any]:
    sys.path.insert(0, str(checkout))
    return importlib.import_module("ifbench.instructions_registry").INSTRUCTION_DICT


def mathif_registry(checkout: Path) -> dict[str, Any]:
    sys.path.insert(0, str(checkout / "code"))
    return importlib.import_module("constraint_registry").INSTRUCTION_DICT


def without(items: Iterable[Item], ids: set[str]) -> list[Item]:
    """Return the items without the checks of some ids; items left with none are dropped."""
    kept = [item._replace(checks=tuple(check for check in item.checks if check[0] not in ids)) for item in items]
    return [item for item in kept if item.checks]


def official_variants(response: str) -> list[str]:
    lines = response.split("\n")
    cuts = ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    return [response, response.replace("*", ""), *cuts, *(cut.replace("*", "") for cut in cuts)]


def official_pass(contest: Contest, loose: bool) -> None:
    for item in contest.items:
        for name, kwargs in item.checks:
            checker = contest.registry[name](name)
            checker.build_description(**kwargs)
            for text in official_variants(item.response) if loose else [item.response]:
                with suppress(Exception):  # the official harness would crash; the time spent counts all the same
                    if text.strip() and checker.check_following(text):
                        break


def parity_pass(contest: Contest, loose: bool) -> None:
    known = suite(contest.suite)
    for item in contest.items:
        variants = Variants(item.response)
        for name, kwargs in item.checks:
            check = known.bind(name, kwargs)
            with suppress(Exception):
                if not check(variants.whole) and loose:
                    any(check(view) for view in variants.others)


def strict_pass(contest: Contest) -> None:
    context = Context()
    for item in contest.items:
        response = Response(None, item.response)
        for name, kwargs in item.checks:
            for constraint in strict_constraints(contest.suite, name, kwargs):
                constraint.check(response, context)


def seconds(run: Callable[[], None]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def race(contest: Contest, passes: int) -> None:
    """Print how many times faster ours are: cold, then the median of warm passes."""
    runs: dict[str, Callable[[], None]] = {
        "official strict": lambda: official_pass(contest, False),
        "parity strict": lambda: parity_pass(contest, False),
        "official loose": lambda: official_pass(contest, True),
        "parity loose": lambda: parity_pass(contest, True),
        "strict profile": lambda: strict_pass(contest),
    }
    times = {name: [seconds(run)] for name, run in runs.items()}
    for _ in range(passes):
        for name, run in runs.items():
            times[name].append(seconds(run))
    cold = {name: values[0] for name, values in times.items()}
    warm = {name: statistics.median(values[1:]) for name, values in times.items()}
    total = sum(len(item.checks) for item in contest.items)
    print(f"\n{contest.name}: {len(contest.items)} responses, {total} checks")
    for ours, theirs in (
        ("parity strict", "official strict"),
        ("parity loose", "official loose"),
        ("strict profile", "official strict"),
        ("strict profile", "parity strict"),
    ):
        speed = f"{warm[ours] / total * 1e6:8.1f} us a check"
        ratio = f"{warm[theirs] / warm[ours]:6.1f}x warm, {cold[theirs] / cold[ours]:6.1f}x cold"
        print(f"  {ours:15} {speed}, faster than {theirs:15} {ratio}")


def contests(arguments: argparse.Namespace) -> list[Contest]:
    found = []
    if arguments.lm_eval:
        registry, items = lm_eval_registry(), ifeval_items(arguments.data)
        found.append(Contest("IFEval against lm-eval", "ifeval", items, registry))
        rest = without(items, LANGUAGE_IDS)
        found.append(Contest("the same without language detection", "ifeval", rest, registry))
    if arguments.ifbench:
        registry = ifbench_registry(arguments.ifbench)
        found.append(Contest("IFBench", "ifbench", ifbench_items(arguments.data), registry))
    if arguments.mathif:
        registry = mathif_registry(arguments.mathif)
        found.append(Contest("MathIF", "mathif", mathif_items(arguments.data), registry))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the benchmarks' own data")
    parser.add_argument("--lm-eval", action="store_true", help="race lm-eval's IFEval checkers")
    parser.add_argument("--ifbench", type=Path, help="a checkout of allenai/IFBench")
    parser.add_argument("--mathif", type=Path, help="a checkout of MathIF")
    parser.add_argument("--passes", type=int, default=5, help="warm passes")
    arguments = parser.parse_args()
    chosen = contests(arguments)
    if not chosen:
        parser.error("name something to race: --lm-eval, --ifbench CHECKOUT or --mathif CHECKOUT")
    for contest in chosen:
        race(contest, arguments.passes)


if __name__ == "__main__":
    main()
