"""Self-evident constraints: what a successful output meets already, read off it by rules, for training and evaluation.

`extract` reads and sifts, `choose` and `doses` pick by hash, `place` words the prompt, `placebo` is its control, and
`instructions_from_outputs` makes training instructions. Everything is a pure function of its arguments.
"""

from data_gen.self_evident.choose import DOSES, assign_groups, choose, doses, ordered, wording_of
from data_gen.self_evident.extract import CODE_GROUPS, TEXT_GROUPS, Candidate, base_rate, extract
from data_gen.self_evident.families import Said, constraint_of, parse, render
from data_gen.self_evident.gates import GATES
from data_gen.self_evident.placement import PLACEBO, PLACEMENTS, Placement, place, placebo
from data_gen.self_evident.training import Solved, instructions_from_outputs

__all__ = [
    "CODE_GROUPS",
    "DOSES",
    "GATES",
    "PLACEBO",
    "PLACEMENTS",
    "TEXT_GROUPS",
    "Candidate",
    "Placement",
    "Said",
    "Solved",
    "assign_groups",
    "base_rate",
    "choose",
    "constraint_of",
    "doses",
    "extract",
    "instructions_from_outputs",
    "ordered",
    "parse",
    "place",
    "placebo",
    "render",
    "wording_of",
]
