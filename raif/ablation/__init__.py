"""Ablations: a plan of axes and seeds, run where it is not finished, and collected with intervals."""
