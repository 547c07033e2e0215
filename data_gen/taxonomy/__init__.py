"""Taxonomies of constraints (CFBench, ComplexBench, IFEval, MathIF and others), selection by path, and coverage."""

from data_gen.taxonomy.coverage import Covered, Report, coverage, render_coverage
from data_gen.taxonomy.schemes import (
    Dimension,
    Scheme,
    dimensions_of,
    parse_scheme,
    schemes,
    soft_of,
    type_weights,
    types_of,
)

__all__ = [
    "Covered",
    "Dimension",
    "Report",
    "Scheme",
    "coverage",
    "dimensions_of",
    "parse_scheme",
    "render_coverage",
    "schemes",
    "soft_of",
    "type_weights",
    "types_of",
]
