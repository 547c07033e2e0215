"""LLM judge for soft constraints: one yes/no question about one answer, undecided rather than guessed."""

from rewards.judge.judge import Consultant, Judge
from rewards.judge.opinions import JudgeConfig, Opinion, Question, parse_judge

__all__ = ["Consultant", "Judge", "JudgeConfig", "Opinion", "Question", "parse_judge"]
