"""Settings that must precede every heavy import, and fixtures that several folders share."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"

from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder of benchmark files next to the repository; tests that need it are skipped without."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no benchmark files at {folder}")
    return folder


@pytest.fixture(scope="module")
def few_draws() -> Iterator[None]:
    """Draw 500 times for an interval, in modules that replay whole benchmarks and whose claims are of values."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("raif.benchmarks.figures.RESAMPLES", 500)
        patch.setattr("raif.evaluation.stats.RESAMPLES", 500)
        yield


@pytest.fixture(scope="session")
def smoke_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder made from recipes/data/smoke.yaml; read it only."""
    from data_gen.config import load_yaml, parse_config
    from data_gen.pipeline import make_dataset

    recipe = REPOSITORY / "recipes" / "data" / "smoke.yaml"
    out = tmp_path_factory.mktemp("smoke") / "data"
    make_dataset(parse_config(load_yaml(recipe), str(recipe)), out)
    return out
