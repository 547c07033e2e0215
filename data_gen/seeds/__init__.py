"""Seed tasks: what an instruction asks for before any constraint is added."""

from data_gen.seeds.fact_set import FactSeeds
from data_gen.seeds.files import FileSeeds
from data_gen.seeds.multi_hop import MultiHopSeeds
from data_gen.seeds.opening import SEED_SETS, open_seed_set
from data_gen.seeds.prepared import PreparedSeeds
from data_gen.seeds.presets import PRESETS
from data_gen.seeds.programs import ProgramSeeds
from data_gen.seeds.seed import Seed, SeedSet, Solution
from data_gen.seeds.small import ArithmeticSeeds, WritingSeeds
from data_gen.seeds.source import SeedSource
from data_gen.seeds.task_set import TaskSeeds
from data_gen.seeds.word_problems import WordProblemSeeds

__all__ = [
    "PRESETS",
    "SEED_SETS",
    "ArithmeticSeeds",
    "FactSeeds",
    "FileSeeds",
    "MultiHopSeeds",
    "PreparedSeeds",
    "ProgramSeeds",
    "Seed",
    "SeedSet",
    "SeedSource",
    "Solution",
    "TaskSeeds",
    "WordProblemSeeds",
    "WritingSeeds",
    "open_seed_set",
]
