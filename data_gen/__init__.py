"""RAIF data_gen: make instructions that verifiers can judge, each with a witness that proves it satisfiable."""

RAIF_PACKAGE = "data_gen"  # the sibling guard of `raif` looks for this name

__version__ = "0.1.0"
