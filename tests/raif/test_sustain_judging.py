"""What a verdict that nobody can give does to an item, and which randomness the arms are drawn with."""

from __future__ import annotations

import random
from pathlib import Path

from raif.generation import Request, Sampling
from raif.generation.opening import open_generator
from raif.sustain.records import CONSTRAINED, FIRST, RETEST
from raif.sustain.runner import load_sustain, sustain
from raif.sustain.settings import SustainSettings
from rewards.constraint import Context, checked
from rewards.constraints.length import MaxWords
from rewards.response import Response
from tests.raif.sustain_support import ONE_DOSE
from tests.raif.test_sustain_runner import math_tasks, run

THAI = "เป็ดของเจเน็ตวางไข่สิบหกฟองทุกวัน"


def test_what_no_checker_can_decide_is_undecided_and_fails_nothing(tmp_path: Path) -> None:
    assert checked(MaxWords(limit=9), Response(None, THAI), Context()).status == "unscored"

    def speak(request: Request, prompt: str, rng: random.Random) -> str:
        return THAI if f"|{CONSTRAINED}|" in request.key else ""

    record = run(math_tasks(40), tmp_path, speak, settings=ONE_DOSE)["domains"]["math"]
    assert (record["failed"], record["n_dplus"], record["sustain"]["value"]) == (0, 40, 0)
    _, _, rollouts = load_sustain(tmp_path)
    undecided = [rollout for rollout in rollouts if rollout.arm == CONSTRAINED and rollout.met is None]
    assert 0 < len(undecided) < 40
    assert record["table"]["undecided"] == len(undecided)
    assert record["comply"]["n"] == 40 - len(undecided)


def test_the_retest_is_drawn_with_randomness_of_its_own(policy: Path, tmp_path: Path) -> None:
    generator = open_generator("transformers", str(policy))
    tasks = math_tasks(4)
    for temperature, alike in ((0.0, 1), (1.0, 3)):
        out = tmp_path / str(temperature)
        sustain(tasks, generator, Sampling(12, temperature), out, SustainSettings(doses=(1,)), samples=2)
        rollouts = load_sustain(out)[2]
        for task in tasks:
            drawn = [r.completion for r in rollouts if r.instruction_id == task.id and r.arm in (FIRST, RETEST)]
            assert len(drawn) == 3
            assert len({*drawn}) == alike
    generator.close()
