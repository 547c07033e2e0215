"""Evaluation: metrics with intervals, floors and ceilings."""
