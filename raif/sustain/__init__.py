"""SUSTAIN: does following an instruction disturb solving the task? Rule-extracted, with controls and intervals.

Our score follows the idea of SUSTAINSCORE (arXiv 2601.22047). Extraction, verification, placement, controls and
intervals are our own, because the paper's text and code were not available to us. Scores are not comparable with the
paper's table.
"""
