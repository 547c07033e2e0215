"""`gallery`: a page of prompts to read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from data_gen.config import load_yaml, parse_config


def show_gallery(
    config: Annotated[Path, typer.Option(help="A data recipe (YAML).")] = Path("recipes/data/default.yaml"),
    count: Annotated[int, typer.Option(min=1, help="How many prompts.")] = 40,
) -> None:
    """Print the first prompts of a recipe as a markdown page."""
    from data_gen.gallery import gallery

    sys.stdout.write(gallery(parse_config(load_yaml(config), str(config)), count))
    sys.stdout.flush()
