"""Expert thinking: the demands in a few words (`notes`), or sorted, planned, worked out and checked (`plan`)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Literal

from data_gen.experts.branches import Facts, Outline, named_needs, outline
from data_gen.experts.evidence import evidence
from data_gen.experts.grouping import GROUPS, by_group, group_of, mention, step_of
from data_gen.experts.structure import Teller
from data_gen.experts.wordings import WORDINGS, Wordings
from data_gen.seeds import Seed
from rewards.constraint import Constraint, Context
from rewards.language import LANGUAGES
from rewards.response import Response
from rewards.task_answer import MathAnswer, QaAnswer
from rewards.tree import And, Leaf, Node

Style = Literal["notes", "plan"]
_STEPS = ("both", "script", *GROUPS[:4], "copy", "ban", *GROUPS[4:])
_CHECKED = 4  # demands that are counted again at the end


def think(
    seed: Seed,
    constraints: Sequence[Constraint],
    language: str,
    style: Style = "notes",
    *,
    tree: Node | None = None,
    rng: Random | None = None,
    answer: str = "",
) -> str:
    """Return expert thinking in the language of the seed.

    Args:
        seed: the task, with its worked solution.
        constraints: the demands, in the order of the prompt.
        language: of the answer.
        style: `notes` lists the demands in a few words and works the task out; `plan` also groups them, says what
            depends on what and which branch applies, plans the order of work and checks the answer by counting.
        tree: how the demands hang together, for `plan`; without one all of them always hold.
        rng: draws the wordings of `plan`; by default it is seeded by the task and its demands.
        answer: the verified answer that `plan` checks; without one it ends before the check.

    Example:
        >>> from data_gen.seeds import ArithmeticSeeds
        >>> from rewards import parse_constraint
        >>> seed = ArithmeticSeeds().draw(Random(0), "en")
        >>> demands = [parse_constraint({"type": "length:max_words", "limit": 9})]
        >>> think(seed, demands, "en")
        'at most 9 words. 4 * 5 = 20.'
        >>> print(think(seed, demands, "en", "plan", rng=Random(3), answer="It is \\\\boxed{20}."))
        The task comes with a single condition.
        As for size: at most 9 words.
        This is how I will proceed: work out how much room there is for each part.
        The substance: 4 * 5 = 20.
        Does all of it hold? Yes: at most 9 words (3 words). That is all right.
    """
    if style == "notes":
        return _notes(seed, constraints, language)
    tree = tree or And(parts=tuple(Leaf(constraint=constraint) for constraint in constraints))
    rng = rng or Random(f"think/{seed.set}/{seed.id}/{[constraint.type for constraint in constraints]}")
    facts = Facts(Response(None, answer), Context(seed.request, seed.language), seed.answer)
    return _Planner(seed, language, tree, facts, rng).write()


def _notes(seed: Seed, constraints: Sequence[Constraint], language: str) -> str:
    separator, stop = ("；", "。") if seed.language == "zh" else ("; ", ". ")
    notes = separator.join(constraint.note(seed.language) for constraint in constraints)
    solution = seed.solutions.get(language)
    return f"{notes}{stop}{solution.thinking if solution else ''}".strip()


class _Planner:
    def __init__(self, seed: Seed, language: str, tree: Node, facts: Facts, rng: Random) -> None:
        self.seed, self.language, self.tree, self.facts, self.rng = seed, language, tree, facts, rng
        self.spoken = seed.language
        self.say: Wordings = WORDINGS[self.spoken]
        self.teller = Teller(facts, self.spoken, rng)
        self.outline: Outline = outline(tree, facts)

    def write(self) -> str:
        work, forks = [self._work()], [self.teller.fork(fork) for fork in self.outline.forks]
        plan = [self._plan()]
        late = work + forks + plan if self.outline.waits_for_result else forks + plan + work
        parts = [*self._demands(), *self._chains(), *late, self._check()]
        return "\n".join(part.strip() for part in parts if part)

    def _demands(self) -> list[str]:
        always, say, rng = self.outline.always, self.say, self.rng
        if not always:
            return [rng.choice(say.only_structure)]
        bank = say.one_demand if len(self.tree.places) == 1 else say.demands
        opening = rng.choice(bank).format(n=len(self.tree.places))
        pattern = rng.choice(say.labelled)
        lines = [self._group(pattern, group, demands) for group, demands in by_group(always).items()]
        return [opening, *lines] if pattern.startswith("-") else [opening, say.space.join(lines)]

    def _group(self, pattern: str, group: str, demands: Sequence[Constraint]) -> str:
        label = self.rng.choice(self.say.labels[group])
        items = self.say.semicolon.join(mention(demand, self.spoken) for demand in demands)
        return pattern.format(label=label, Label=label[:1].upper() + label[1:], items=items)

    def _chains(self) -> list[str]:
        told = [self.teller.chain(chain) for chain in self.outline.chains]
        for later, earlier in named_needs(self.tree):
            named = {"later": self._quoted(later), "earlier": self._quoted(earlier)}
            told.append(_capitalised(self.rng.choice(self.say.needs).format(**named)))
        return told

    def _quoted(self, constraint: Constraint) -> str:
        said = mention(constraint, self.spoken)
        return f"“{said}”" if self.spoken == "zh" else f"‘{said}’"

    def _plan(self) -> str:
        """Return the steps of work, each kind once, early decisions first."""
        found = {step_of(constraint) for constraint in self.outline.active}
        kinds = [kind for kind in _STEPS if kind in found]
        if not kinds:
            return ""
        steps = [self.rng.choice(self.say.steps[kind]).format(language=self._language()) for kind in kinds]
        opening = self.rng.choice(self.say.plan)
        return f"{opening}{self.say.space}{self._in_order(steps)}{self.say.stop}{self._insight(found)}"

    def _in_order(self, steps: Sequence[str]) -> str:
        if len(steps) == 1:
            return steps[0]
        first, further, last = self.say.order_words
        start = self.rng.randrange(len(further))
        between = [further[(start + place) % len(further)] for place in range(len(steps) - 2)]
        lead = [self.rng.choice(first), *between, self.rng.choice(last)]
        joined = [f"{word}{step}" for word, step in zip(lead, steps, strict=True)]
        return self.say.semicolon.join(joined)

    def _insight(self, found: set[str]) -> str:
        fitting = [bank for pair, bank in self.say.insights.items() if found.issuperset(pair)]
        return self.rng.choice(self.rng.choice(fitting)) if fitting else ""

    def _language(self) -> str:
        names = LANGUAGES.get(self.language)
        return names[self.spoken == "zh"] if names else self.language

    def _work(self) -> str:
        solution, say, rng = self.seed.solutions.get(self.language), self.say, self.rng
        worked = (solution.thinking if solution else "").strip()
        if worked:
            bank = say.recalling if isinstance(self.seed.answer, QaAnswer) else say.working
            return rng.choice(bank).format(work=self._closed(worked))
        core = say.space.join(solution.core) if solution else ""
        if core:
            return rng.choice(say.message).format(work=self._closed(core))
        value = _value(self.seed)
        return rng.choice(say.result).format(value=value) if value else ""

    def _closed(self, text: str) -> str:
        return text if text[-1] in ".!?。！？" else f"{text}{self.say.stop.strip()}"

    def _check(self) -> str:
        """Count again what can be counted; the verifiers' own evidence is quoted."""
        if not self.facts.response.answer:
            return ""
        counted: dict[str, str] = {}
        demands = self.rng.sample(self.outline.active, len(self.outline.active))
        for demand in sorted(demands, key=lambda each: GROUPS.index(group_of(each)))[:_CHECKED]:
            found = evidence(demand, self.facts.response, self.facts.context, self.spoken)
            if found:
                said = mention(demand, self.spoken)
                counted[said] = self.say.counted if found.removeprefix("found ") == said else found
        if not counted:
            return ""
        say, rng = self.say, self.rng
        pattern = "{}（{}）" if self.spoken == "zh" else "{} ({})"
        listed = say.semicolon.join(pattern.format(*item) for item in counted.items()) + say.stop
        return f"{rng.choice(say.check)}{say.space}{listed}{rng.choice(say.checked)}"


def _value(seed: Seed) -> str:
    answer = seed.answer
    if isinstance(answer, MathAnswer):
        return answer.value
    return answer.values[0] if isinstance(answer, QaAnswer) else ""


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
