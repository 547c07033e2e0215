"""What the suites of MathIF, IFEval and IFBench share: items with official checks, judged in both profiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from raif.chat import Messages
from raif.evaluation import stats
from raif.evaluation.records import CONSTRAINED, EvaluatedRollout, Item, Output
from raif.suites.checking import ItemChecks, Verdicts
from raif.suites.judged import assuming, official_outcomes, rollout_of, strict_outcomes, undecided
from raif.suites.rates import known, over_items, truncated
from raif.suites.reading import BenchmarkRow, read_benchmark, read_responses, unique
from raif.suites.splits import divide
from rewards.errors import RaifError
from rewards.parity import suite
from rewards.parity.contradictions import contradiction
from rewards.response import Response

FLOOR = "."


class CheckedSuite(ABC):
    """A benchmark of official checks.

    Args:
        ceiling: a JSONL file of `id` and `response`, one compliant response for each item; by default the `witness`
            of the rows that have one.
    """

    name: str
    home: str  # on the Hugging Face hub
    top_p: float = 1.0
    columns: tuple[str, ...]
    loose: bool  # whether the benchmark has a loose protocol
    arms: tuple[str, ...] = (CONSTRAINED,)

    def __init__(self, ceiling: str = "") -> None:
        self.versions = {"official": suite(self.name).version}
        self.options = {"ceiling": ceiling} if ceiling else {}
        self._ceiling = ceiling
        self._witnesses: dict[str, str] = {}

    # ---- what a suite defines

    @abstractmethod
    def item(self, row: BenchmarkRow) -> Item:
        """Make an item of a row that has all columns; what is wrong with it is a `RaifError`."""

    @abstractmethod
    def official_text(self, text: str) -> str:
        """Return the part of a raw output that the official harness judges."""

    @abstractmethod
    def measure(self, rollouts: Sequence[EvaluatedRollout]) -> dict[str, dict[str, Any]]:
        """Return the accuracies of each profile, NAME and NAME_ci."""

    def keeps(self, value: Any) -> bool:
        """Tell whether the official harness passes an argument on."""
        return value is not None

    def grade(self, outputs: Sequence[Output], responses: Sequence[Response]) -> list[bool | None]:
        """Return whether the answers are right; None where there is nothing to compare with."""
        return [None] * len(outputs)

    # ---- the suite protocol

    def load(self, data: str) -> list[Item]:
        """Read the items; ids are unique, and every check is known and bound.

        Raises:
            RaifError: if a row is broken, or no item is found.
        """
        rows, self.versions["data"] = read_benchmark(data, self.columns, self.home)
        items, self._witnesses = unique([self._checked_item(row) for row in rows]), {}
        for row, item in zip(rows, items, strict=True):
            if isinstance(witness := row.columns.get("witness"), str):
                self._witnesses[item.id] = witness
        if self._ceiling:
            self._witnesses = read_responses(Path(self._ceiling), [item.id for item in items])
        return items

    def _checked_item(self, row: BenchmarkRow) -> Item:
        try:
            item = self.item(row)
            self.checks(item)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise RaifError(f"{row.where} is no row of {self.name}: {place}: {first['msg']}") from error
        except (RaifError, TypeError, AttributeError) as error:
            raise RaifError(f"{row.where} is no row of {self.name}: {error}") from error
        return item

    def checks(self, item: Item) -> ItemChecks:
        """Return the bound checks of an item."""
        return ItemChecks(self.name, item, self.keeps, self.loose)

    def messages(self, item: Item, arm: str) -> Messages:
        """Return the exact prompt: one user turn."""
        text = item.prompt if arm == CONSTRAINED or item.bare_prompt is None else item.bare_prompt
        return [{"role": "user", "content": text}]

    def judge(self, outputs: Sequence[Output]) -> list[EvaluatedRollout]:
        """Judge outputs in both profiles; under an arm without constraints only their answers are graded."""
        divided = [divide(output) for output in outputs]
        grades = self.grade(outputs, [each.response for each in divided])
        checks: dict[str, ItemChecks] = {}
        groups: dict[str, int] = {}
        rollouts = []
        for output, parts, correct in zip(outputs, divided, grades, strict=True):
            item = output.item
            verdicts = Verdicts((), ())
            if output.arm == CONSTRAINED:
                if item.id not in checks:
                    checks[item.id] = self.checks(item)
                verdicts = checks[item.id].judge(self.official_text(output.text), parts.response)
            group = groups.setdefault(item.id, len(groups))
            rollouts.append(rollout_of(output, group, parts, verdicts, correct))
        return rollouts

    def records(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, list[dict[str, Any]]]:
        """Return nothing: items and rollouts say all."""
        return {}

    def floor(self, items: Sequence[Item]) -> dict[str, Any]:
        """Return what the response `.` scores: what saying nothing earns."""
        return self._values(self._fixed(items, dict.fromkeys((item.id for item in items), FLOOR)))

    def ceiling(self, items: Sequence[Item]) -> dict[str, Any] | None:
        """Return what the witnesses score, and the items whose witness a profile refuses; None without witnesses."""
        witnessed = [item for item in items if item.id in self._witnesses]
        if not witnessed:
            return None
        rollouts = self._fixed(witnessed, self._witnesses)
        unmet = {
            "parity": [r.instruction_id for r in rollouts if r.official_hard is False],
            "strict": [r.instruction_id for r in rollouts if r.hard is False],
        }
        return {**self._values(rollouts), "n": len(rollouts), "unmet": unmet}

    def _fixed(self, items: Sequence[Item], texts: Mapping[str, str]) -> list[EvaluatedRollout]:
        chosen = [item.model_copy(update={"answer": None}) for item in items if item.checks]  # nothing to grade
        return self.judge([Output(item, CONSTRAINED, 0, texts[item.id], prefilled=False) for item in chosen])

    def _values(self, rollouts: Sequence[EvaluatedRollout]) -> dict[str, Any]:
        """Return every accuracy without its interval: fixed responses are no sample."""
        return {
            profile: {name: value for name, value in found.items() if not name.endswith(("_ci", "_n"))}
            for profile, found in self.measure(rollouts).items()
        }

    def common(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, Any]:
        """Return what every benchmark's metrics hold; `rollouts` are those with constraints."""
        tokens = over_items(rollouts, lambda r: None if r.completion_tokens is None else float(r.completion_tokens))
        impossible = {item.id: contradiction(self.checks(item).bound) for item in items if len(item.checks) > 1}
        return {
            "truncated": known(truncated(rollouts)),
            "unclosed": stats.record(over_items(rollouts, lambda r: r.unclosed)),
            "completion_tokens": known(tokens),
            "floor": self.floor(items),
            "ceiling": self.ceiling(items),
            "unsatisfiable": [key for key, reason in impossible.items() if reason],
            "unsatisfiable_reasons": {key: reason for key, reason in impossible.items() if reason},
            **self._undecided(rollouts),
            "power": stats.power_note(len({rollout.instruction_id for rollout in rollouts})),
        }

    def _undecided(self, rollouts: Sequence[EvaluatedRollout]) -> dict[str, Any]:
        """Count checks without a verdict, say why, and give the bounds of parity whatever they would have said."""
        reasons = undecided(rollouts)
        bounds = {}
        if reasons:
            low, high = (self._values(assuming(rollouts, followed))["parity"] for followed in (False, True))
            bounds = {name: [low[name], high[name]] for name in low}
        return {
            "unscored": {
                "parity": sum(official_outcomes(rollout).count(None) for rollout in rollouts),
                "strict": sum(strict_outcomes(rollout).count(None) for rollout in rollouts),
            },
            "undecided": reasons,
            "parity_bounds": bounds,
        }
