"""Evolution by a language model: demands reworded for their task, soft ones added, all merged into a natural prompt."""

from data_gen.evolve.config import EvolveConfig, parse_evolve
from data_gen.evolve.evolution import Tally, run_evolution
from data_gen.evolve.folder import evolve_folder
from data_gen.evolve.kinds import SOFT_KINDS

__all__ = ["SOFT_KINDS", "EvolveConfig", "Tally", "evolve_folder", "parse_evolve", "run_evolution"]
