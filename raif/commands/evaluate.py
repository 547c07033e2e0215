"""`raif evaluate SUITE`: a command for every suite, each with its own options, and one for a benchmark of your own."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from raif.commands import checked, questions, suite, sustain
from rewards.errors import unknown_name


class Suites(TyperGroup):
    """The suites by name; a name with a dot is the path of a module with a benchmark."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a suite.

        Raises:
            RaifError: if there is none of this name.
        """
        if cmd_name in self.commands:
            return super().get_command(ctx, cmd_name)
        if "." not in cmd_name:
            raise unknown_name("suite", cmd_name, list(self.commands), "Choose one of them.")
        own = typer.Typer(add_completion=False)
        own.command(cmd_name)(questions.command(cmd_name))
        return typer.main.get_command(own)


evaluate_app = typer.Typer(
    cls=Suites,
    no_args_is_help=True,
    help="Evaluate a policy, or responses it gave before, on a suite; or on a benchmark of your own, a module's path.",
)
for command in (checked.mathif, checked.ifeval, checked.ifbench, checked.instructions, sustain.sustain):
    evaluate_app.command()(command)
for name in questions.BENCHMARKS:
    evaluate_app.command(name)(questions.command(name))
evaluate_app.command()(suite.suite)
