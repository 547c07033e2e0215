"""Find shipped recipes and launch configurations: in the checkout, else in the installed package."""

from __future__ import annotations

from pathlib import Path

from rewards.errors import RaifError, unknown_name

_HERE = Path(__file__).resolve().parent


def shipped(kind: str) -> Path:
    """Return the folder of `recipes` or `accelerate_configs`."""
    installed = _HERE / f"_{kind}"
    return installed if installed.is_dir() else _HERE.parent / kind


def recipes() -> dict[str, Path]:
    """Return every shipped recipe by name, e.g. `smoke/cpu`."""
    root = shipped("recipes")
    return {str(path.relative_to(root).with_suffix("")): path for path in sorted(root.rglob("*.yaml"))}


def find_recipe(name: str | Path) -> Path:
    """Return the recipe a user names: an existing file, or a shipped recipe with or without `recipes/` and `.yaml`.

    Example:
        >>> find_recipe("data/demo").name
        'demo.yaml'
    """
    if Path(name).is_file():
        return Path(name)
    key = str(name).removesuffix(".yaml").removeprefix("recipes/")
    known = recipes()
    if key not in known:
        raise unknown_name("recipe", str(name), known, "Give one of these names or the path of a YAML file.")
    return known[key]


def find_launch_config(name: str) -> Path:
    """Return an accelerate configuration: an existing file or a shipped one by name."""
    key = name.removesuffix(".yaml").removeprefix("accelerate_configs/")
    path = Path(name) if Path(name).is_file() else shipped("accelerate_configs") / f"{key}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in shipped("accelerate_configs").glob("*.yaml")))
        raise RaifError(f"no launch configuration {name!r}; known: {known}.")
    return path


def launch_arguments(config: str, ranks: int) -> list[str]:
    """Return what an interpreter is told before `-m MODULE` to start it on several ranks; nothing for one.

    Example:
        >>> launch_arguments("cpu", 1)
        []
        >>> launch_arguments("cpu", 2)[:3], launch_arguments("cpu", 2)[-2:]
        (['-m', 'accelerate.commands.launch', '--config_file'], ['--num_processes', '2'])
    """
    if ranks == 1:
        return []
    place = str(find_launch_config(config))
    return ["-m", "accelerate.commands.launch", "--config_file", place, "--num_processes", str(ranks)]
