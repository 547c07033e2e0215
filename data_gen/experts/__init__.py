"""Expert demonstrations for cloning: made from witnesses, read from files or sampled from a served model.

report = run_experts("runs/data", parse_experts({"type": "witness", "style": "plan"}), "runs/data-with-experts")
"""

from data_gen.experts.checks import ExpertChecks
from data_gen.experts.outcomes import CandidateScores, ExpertOutcome, ExpertReport
from data_gen.experts.sources import ExpertSource, FileExperts, ServedExperts, WitnessExperts, parse_experts
from data_gen.experts.stage import make_experts, run_experts
from data_gen.experts.thinking import Style, think
from data_gen.experts.warm_start import WarmStartRow, demonstrate, warm_start_row

__all__ = [
    "CandidateScores",
    "ExpertChecks",
    "ExpertOutcome",
    "ExpertReport",
    "ExpertSource",
    "FileExperts",
    "ServedExperts",
    "Style",
    "WarmStartRow",
    "WitnessExperts",
    "demonstrate",
    "make_experts",
    "parse_experts",
    "run_experts",
    "think",
    "warm_start_row",
]
