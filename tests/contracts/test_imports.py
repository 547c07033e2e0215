"""What importing the packages loads, and what protects their generic names."""

from __future__ import annotations

import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import data_gen
import rewards

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "trl", "transformers", "datasets", "accelerate", "vllm", "wandb", "openai", "nltk")
HELP = """
from raif.cli import main
sys.argv = ["raif", "--help"]
try:
    main()
except SystemExit as stopped:
    assert not stopped.code
"""
PACKAGES = ("rewards", "data_gen", "raif")


def submodules(package: str, path: list[str]) -> list[str]:
    names = [module.name for module in pkgutil.walk_packages(path, f"{package}.")]
    assert names
    return [package, *(name for name in names if not name.endswith("__main__"))]


def python(code: str, *folders: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders or (REPOSITORY,)))}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "code",
    [
        "import " + ", ".join(submodules("rewards", list(rewards.__path__))),
        "import " + ", ".join((*submodules("data_gen", list(data_gen.__path__)), "data_gen.__main__")),
        "import raif",
        HELP,
    ],
    ids=["rewards", "data_gen", "raif", "raif --help"],
)
def test_importing_is_light(code: str) -> None:
    report = f"print('loaded:', [name for name in {HEAVY} if name in sys.modules])"
    done = python(f"import sys\n{code}\n{report}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize(("package", "forbidden"), [("rewards", ("data_gen", "raif")), ("data_gen", ("raif",))])
def test_dependencies_point_one_way(package: str, forbidden: tuple[str, ...]) -> None:
    path = {"rewards": rewards, "data_gen": data_gen}[package].__path__
    names = ", ".join(submodules(package, list(path)))
    done = python(f"import sys\nimport {names}\nprint([name for name in {forbidden!r} if name in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def test_a_users_own_rewards_module_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "rewards.py").write_text("def reward(): ...\n", encoding="utf-8")
    done = python("import raif", cwd=tmp_path)
    assert done.returncode != 0
    assert f"Python finds {(tmp_path / 'rewards.py').resolve()} first" in done.stderr
    assert "Rename that file or folder" in done.stderr


def test_an_overwritten_package_is_noticed(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert python("import raif", tmp_path, cwd=tmp_path).returncode == 0
    (tmp_path / "rewards" / "__init__.py").write_text("VERSION = '3.2'\n", encoding="utf-8")
    done = python("import raif", tmp_path, cwd=tmp_path)
    assert done.returncode != 0
    assert "was overwritten by another distribution" in done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_long(package: str) -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in (REPOSITORY / package).rglob("*.py")
    }
    assert lengths
    assert {str(path): length for path, length in lengths.items() if length > 400} == {}
