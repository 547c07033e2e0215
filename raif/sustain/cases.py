"""Items with what their arms gave: the one place where rollouts become numbers per item.

An item counts in the arms only if all of them are decided, so that they are compared over the same items.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from raif.sustain.records import CONSTRAINED, FIRST, PLACEBO, RETEST, SustainItem, SustainRollout

Slot = tuple[str, int, int]  # arm, dose, place
Rollouts = Sequence[SustainRollout]
_ASKED, _CONTROL, _AGAIN = (CONSTRAINED, 1, 0), (PLACEBO, 1, 0), (RETEST, 0, 0)


@dataclass(frozen=True)
class Case:
    """An item and its rollouts by arm, dose and place, each in the order of the samples.

    An output is right when its score reaches `tau`. All values are means over samples, from 0 to 1, and None where
    there is no rollout or one of them is undecided.
    """

    item: SustainItem
    slots: Mapping[Slot, Rollouts]
    tau: float = 1.0

    @property
    def places(self) -> tuple[int, ...]:
        """The item's demands that stand alone in a prompt, by number."""
        return tuple(sorted(place for arm, dose, place in self.slots if arm == CONSTRAINED and dose == 1))

    @property
    def first(self) -> float | None:
        return self.right(FIRST, 0)

    @property
    def retest(self) -> float | None:
        """The same prompt again."""
        return self.right(*_AGAIN)

    @property
    def placebo(self) -> float | None:
        """The prompt with a neutral sentence."""
        return self.right(*_CONTROL)

    @property
    def sustained(self) -> float | None:
        """sigma_i: the mean over single constraints and samples."""
        return self.sustained_at(self.places)

    @property
    def comparable(self) -> bool:
        """Whether the item is in D+ and every arm of dose 1 is decided."""
        return self.item.in_dplus and None not in (self.sustained, self.placebo, self.retest)

    @property
    def asked(self) -> list[SustainRollout]:
        """The rollouts under one constraint."""
        return self.asked_at(self.places)

    def right(self, arm: str, dose: int, place: int = 0) -> float | None:
        """Return the share of right outputs."""
        scores = [rollout.score for rollout in self.slots.get((arm, dose, place), ())]
        return average([None if score is None else float(score >= self.tau) for score in scores])

    def sustained_at(self, places: Sequence[int]) -> float | None:
        """Return the share of right outputs under some of the single constraints."""
        return average([self.right(CONSTRAINED, 1, place) for place in places])

    def complied_at(self, places: Sequence[int]) -> float | None:
        """Return the share of outputs under some of the single constraints that meet theirs."""
        return average([_number(rollout.met) for rollout in self.asked_at(places)])

    def complied(self, arm: str, dose: int) -> float | None:
        """Return the share of outputs that meet all constraints of their dose."""
        return average([_number(rollout.met) for rollout in self.slots.get((arm, dose, 0), ())])

    def met_share(self, arm: str, dose: int) -> float | None:
        """Return the mean share of the constraints that an output meets."""
        return average([rollout.soft for rollout in self.slots.get((arm, dose, 0), ())])

    def f1(self, arm: str, dose: int) -> float | None:
        """Return the mean token F1 of an arm; of the constrained one over all single constraints."""
        places = self.places if arm == CONSTRAINED else (0,)
        return average([average([each.f1 for each in self.slots.get((arm, dose, place), ())]) for place in places])

    def asked_at(self, places: Sequence[int]) -> list[SustainRollout]:
        """Return the rollouts under some of the single constraints."""
        return [rollout for place in places for rollout in self.slots.get((CONSTRAINED, 1, place), ())]

    def samples(self, arm: str, dose: int) -> int:
        """Return how many rollouts an arm has."""
        return len(self.slots.get((arm, dose, 0), ()))

    def is_right(self, rollout: SustainRollout) -> bool:
        """Tell whether a decided output is right."""
        return rollout.score is not None and rollout.score >= self.tau


def cases_of(items: Sequence[SustainItem], rollouts: Rollouts, tau: float = 1.0) -> list[Case]:
    """Return items with their rollouts, joined by id; items that failed are left out."""
    found: dict[str, dict[Slot, list[SustainRollout]]] = defaultdict(lambda: defaultdict(list))
    for rollout in sorted(rollouts, key=lambda each: each.sample):
        found[rollout.instruction_id][rollout.arm, rollout.dose, rollout.place].append(rollout)
    return [Case(item, dict(found[item.id]), tau) for item in items if not item.failed]


def average(values: Sequence[float | None]) -> float | None:
    """Return the mean, or None where there is no value or one is unknown.

    Example:
        >>> average([1.0, 0.0]), average([1.0, None]), average([])
        (0.5, None, None)
    """
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _number(met: bool | None) -> float | None:
    return None if met is None else float(met)
