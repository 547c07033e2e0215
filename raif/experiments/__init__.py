"""The experiments on instruction following of reasoners, each with its control arms.

Folder experiments read evaluations: `length_bins`, `stages`, `errors`, `difficulty`. The other two draw completions:
`wait` and `repeat`.
"""
