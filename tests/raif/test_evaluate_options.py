"""The options of `raif evaluate`: each suite has its own, and refuses those of the others before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated

import pytest
from typer import Option
from typer.main import get_command
from typer.testing import CliRunner

from raif.benchmarks import BENCHMARKS
from raif.cli import app
from raif.commands.options import BatchedDrawing, Drawing, given, grouped
from raif.suites import SUITES
from rewards.errors import RaifError

EVALUATE = get_command(app).commands["evaluate"]  # type: ignore[attr-defined]
OWN = {
    "mathif": {"--arm", "--unconstrained", "--ceiling"},
    "ifeval": {"--protocol", "--ceiling"},
    "ifbench": {"--protocol", "--ceiling"},
    "instructions": {"--split"},
    "sustain": {"--placement", "--doses", "--constraints", "--qa-score", "--tau", "--recompute"},
    "suite": {"--only", "--skip-missing"},
    **{name: {"--language", "--replay-verdicts"} for name in BENCHMARKS},
}


def options_of(name: str) -> set[str]:
    return {option for each in EVALUATE.commands[name].params for option in each.opts if option.startswith("--")}


def test_every_suite_is_a_command_and_has_its_own_options() -> None:
    assert set(OWN) == set(EVALUATE.commands) == {*SUITES, *BENCHMARKS, "sustain", "suite"}
    everything = set().union(*OWN.values())
    for name, own in OWN.items():
        assert options_of(name) & everything == own
        assert ("--judge" in options_of(name)) == (name in (*BENCHMARKS, "suite"))


@pytest.mark.parametrize(
    "words",
    [
        ("ifeval", "--split", "test", "--responses", "r"),
        ("ifeval", "--data", "x", "--responses", "y", "--doses", "1"),
        ("ifbench", "--judge", "m@http://127.0.0.1:9/v1"),
        ("sustain", "--data", "arithmetic=3", "--model", "x", "--cap", "8", "--out", "y", "--arm", "first"),
        ("suite", "--wandb", "project"),
        ("suite", "--responses", "r"),
    ],
)
def test_options_of_other_suites_are_refused_by_name(
    words: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["evaluate", *words])
    assert told.exit_code == 2
    refused = next(word for word in words if word.startswith("--") and word not in options_of(words[0]))
    assert f"No such option: {refused}" in told.output
    assert f"evaluate {words[0]} --help" in told.output
    assert not list(tmp_path.iterdir())


def test_an_unknown_suite_is_told_the_nearest() -> None:
    told = CliRunner().invoke(app, ["evaluate", "infobnch", "--limit", "3"])
    assert isinstance(told.exception, RaifError)
    assert "did you mean 'infobench'" in str(told.exception)


def test_a_module_path_is_a_command_with_the_options_of_a_benchmark() -> None:
    told = CliRunner().invoke(app, ["evaluate", "tests.raif.seventh_benchmark", "--help"])
    assert told.exit_code == 0
    assert "--replay-verdicts" in told.output


def test_writing_prompts_takes_no_option_that_would_be_ignored(tmp_path: Path) -> None:
    asked = ["evaluate", "ifeval", "--data", "d", "--export-prompts", str(tmp_path / "p"), "--cap", "9", "--seed", "1"]
    told = CliRunner().invoke(app, asked)
    assert "takes no --cap, --seed; leave it out" in str(told.exception)


# ---- groups -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Group(BatchedDrawing):
    panel = "ours"

    file: Annotated[Path | None, Option("--json", help="A file.")] = None
    fixed: str = "no option"


def test_a_command_gets_its_groups_filled_and_plain_fields_are_no_options() -> None:
    seen: list[object] = []

    def command(name: str, group: Group, more: int = 3) -> None:
        """Do it."""
        seen.extend((name, group, more))

    wrapped = grouped(command)
    parameters = signature(wrapped).parameters
    names = list(parameters)
    assert (names[0], names[-1]) == ("name", "more")
    assert "fixed" not in names
    assert {each.kind for each in parameters.values()} == {Parameter.KEYWORD_ONLY}
    assert (wrapped.__name__, wrapped.__doc__) == ("command", "Do it.")
    defaults = {name: each.default for name, each in parameters.items() if each.default is not Parameter.empty}
    wrapped(name="n", **{**defaults, "cap": 5, "file": Path("f")})
    assert seen == ["n", Group(cap=5, file=Path("f")), 3]


def test_panels_are_those_of_the_class_that_declares_an_option_first() -> None:
    def command(ask: Group) -> None: ...

    parameters = signature(grouped(command)).parameters
    panels = {name: each.annotation.__metadata__[0].rich_help_panel for name, each in parameters.items()}
    assert panels["cap"] == panels["continuous"] == Drawing.panel
    assert panels["file"] == "ours"


def test_given_names_options_as_a_user_writes_them() -> None:
    group = Group(cap=5, continuous=True, file=Path("f"), seed=0)
    assert given(group) == ["--cap", "--continuous", "--json"]
    assert given(group, Drawing) == ["--cap"]
    assert given(group, but=("file", "cap")) == ["--continuous"]
