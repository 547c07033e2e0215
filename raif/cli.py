"""The `raif` command: everything but training, which keeps TRL's own parser (`python -m raif.train`).

Heavy libraries are imported inside the commands, so that `raif --help` loads no torch.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from data_gen.commands.console import guarded
from data_gen.progress import progress_bars
from raif.commands.ablate import ablate
from raif.commands.analyze import analyze_app
from raif.commands.evaluate import evaluate_app
from raif.commands.experiment import experiment_app
from raif.commands.outcome import say
from raif.commands.report import report
from raif.commands.sustain_compare import compare_sustain
from raif.commands.sustain_data import sustain_data
from rewards.errors import RaifError

app = typer.Typer(help="RL training of instruction-aware reasoners.", no_args_is_help=True, add_completion=False)
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(experiment_app, name="experiment")
app.add_typer(analyze_app, name="analyze", help="Look into a model with the outputs of an evaluation.")
app.command(no_args_is_help=True)(ablate)
app.command("compare-sustain", no_args_is_help=True)(compare_sustain)
app.command(no_args_is_help=True)(report)
app.command("sustain-data", no_args_is_help=True)(sustain_data)
console = Console()


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="A pipeline recipe, e.g. recipes/demo.yaml.")],
    out: Annotated[Path, typer.Option(help="The run folder; starting again goes on where it stopped.")],
    seed: Annotated[int, typer.Option(help="Seed of data, policy, training and evaluation.")] = 0,
) -> None:
    """Go from seed tasks to a trained, evaluated and reported policy."""
    from raif.run import run_pipeline

    run_pipeline(recipe, out, seed, console)


@app.command("data-card")
def data_card(
    folder: Annotated[Path, typer.Argument(help="A data set made by `python -m data_gen`, or a file of instructions.")],
    out: Annotated[
        Path | None, typer.Option(help="The page, ending in .html, or a folder for it; by default the data's own.")
    ] = None,
) -> None:
    """Write data_card.html, one self-contained page that shows what a data set holds."""
    from raif.report.data_card import write_data_card

    with console.status("reading"):
        page = write_data_card(folder, out)
    say(f"wrote {page}")


@app.command()
def push(
    run_folder: Annotated[Path, typer.Argument(help="A folder made by `raif run`, or the output_dir of a training.")],
    repo: Annotated[str, typer.Option(help="Where to: owner/name.")],
    private: Annotated[
        bool, typer.Option("--private/--public", help="Who may see it; only looked at when the repository is new.")
    ] = True,
    endpoint: Annotated[
        str | None, typer.Option(help="Address of another hub than the one that huggingface_hub knows.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="The policy's licence for the card, e.g. apache-2.0.")] = None,
) -> None:
    """Upload the final policy of a run with its model card."""
    from raif.hub import push as upload

    with console.status(f"uploading {run_folder}"):
        address = upload(run_folder, repo, private, endpoint, licence)
    say(f"{run_folder} is at {address}")


@app.command()
def references(
    config: Annotated[str, typer.Option(help="The training recipe whose contrast will use them.")],
    out: Annotated[Path, typer.Option(help="JSON file of scores; the recipe's contrast_references.")],
    model: Annotated[str | None, typer.Option(help="The reference policy; by default the recipe's own.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Direct answers per instruction.")] = 2,
    batch_size: Annotated[int, typer.Option(min=1, help="Prompts generated at once.")] = 64,
    flags: Annotated[list[str] | None, typer.Argument(help="After --: flags of the training, e.g. its data.")] = None,
) -> None:
    """Sample and score thinking-free answers to training prompts, for `contrast: reference`."""
    from raif.references import references_of_recipe

    if out.is_dir() or not out.absolute().parent.is_dir():
        raise RaifError(f"--out {out} must be a file in a folder that exists; nothing was sampled.")
    with progress_bars(console) as bars:
        task = bars.add_task("direct answers", total=None)
        found = references_of_recipe(
            ["--config", config, *(flags or [])], model, count, batch_size, lambda n: bars.update(task, completed=n)
        )
    out.write_text(found.model_dump_json() + "\n", encoding="utf-8")
    say(f"wrote direct scores of {len(found.scores)} instructions to {out}")


@app.command()
def tiny(
    warm_start: Annotated[Path, typer.Option(help="warm_start.jsonl made by data_gen.")],
    out: Annotated[Path, typer.Option(help="Folder of the model.")],
    seed: Annotated[int, typer.Option(help="Seed of weights and order.")] = 0,
) -> None:
    """Build and warm-start the embedded policy."""
    from raif.tiny import build_policy, read_warm_start

    say(f"wrote {build_policy(read_warm_start(warm_start), out, seed)}")


@app.command()
def verify(
    rows: Annotated[Path, typer.Argument(help="JSON lines with id, instruction_id, kwargs, prompt, response.")],
    suite: Annotated[str, typer.Option(help="ifeval, ifbench, iftrain, mathif or math.")],
    out: Annotated[Path, typer.Option(help="Where the verdicts go, one JSON line a row.")],
    workers: Annotated[int, typer.Option(help="Processes that judge.")] = 1,
) -> None:
    """Judge responses as the official checkers do, and as our strict profile does."""
    from rewards.verify import read_lines, rejected_path, write_verdicts
    from rewards.verify import verify as judge_lines

    lines = read_lines(rows)
    if out.resolve() == rows.resolve():
        raise RaifError(f"--out {out} is the rows file itself; name another file.")
    with progress_bars(console) as bars:
        count, rejected = write_verdicts(
            bars.track(judge_lines(suite, lines, workers), len(lines), description=suite), out
        )
    for one in rejected[:5]:
        say(f"{rows}:{one.line.number}: {one.problem}", "yellow")
    say(f"{count} rows verified, {len(rejected)} rejected -> {out}")
    if rejected:
        say(f"rejected lines are kept in {rejected_path(out)}")
    if rejected and not count:
        raise RaifError(f"no line of {rows} is a row of suite {suite!r}; see {rejected_path(out)}.")


@app.command()
def score(
    instructions: Annotated[Path, typer.Option(help="A data folder, or a file of instructions.")],
    rollouts: Annotated[Path, typer.Option(help="JSON lines with instruction_id and completion; or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Score lines; for a folder of rollouts a folder.")],
    rewards: Annotated[Path | None, typer.Option(help="YAML with `rewards:`; by default the constraints.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that score.")] = 1,
    cap: Annotated[int | None, typer.Option(help="Maximum completion tokens.")] = None,
    on_truncation: Annotated[str | None, typer.Option(help="zero, penalty, mask or score.")] = None,
    style: Annotated[str, typer.Option(help="think, think_answer, answer, channels or none.")] = "think",
    prefilled: Annotated[bool, typer.Option(help="Whether the prompt opened the thinking.")] = True,
    deadline: Annotated[float, typer.Option(help="Seconds that one rollout may take.")] = 60.0,
    executor: Annotated[str | None, typer.Option(help="For a folder: local, ray or slurm (extra `scale`).")] = None,
    tasks: Annotated[int | None, typer.Option(help="Tasks that share the shards; by default one each.")] = None,
    cpus_per_task: Annotated[int, typer.Option(help="Processes of a task.")] = 1,
    partition: Annotated[str, typer.Option(help="Slurm's partition.")] = "",
    time: Annotated[str, typer.Option(help="Slurm's time limit of a task.")] = "04:00:00",
    env_command: Annotated[str, typer.Option(help="What a Slurm job runs first.")] = "",
) -> None:
    """Score stored rollouts; the same command goes on after a kill."""
    from raif.scale import Cluster
    from raif.score import make_settings
    from raif.score import score as score_rollouts

    settings = make_settings(
        rewards, cap, on_truncation=on_truncation, style=style, prefilled=prefilled, deadline=deadline
    )
    cluster = None
    if executor:
        cluster = Cluster(
            executor=executor,  # type: ignore[arg-type]
            tasks=tasks,
            workers=workers,
            cpus_per_task=cpus_per_task,
            partition=partition,
            time=time,
            env_command=env_command,
        )
    with progress_bars(console) as bars:
        task = bars.add_task("score", total=None)
        summary = score_rollouts(
            instructions, rollouts, out, settings, workers, cluster, lambda done: bars.update(task, completed=done)
        )
    console.print_json(json.dumps(summary))


@app.command("judge-check")
def judge_check(
    rows: Annotated[Path, typer.Argument(help="JSON lines with question, request, answer, label (yes or no).")],
    model: Annotated[str, typer.Option(help="The judge: its name on the server, or a local model.")],
    base_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server; without one, local.")] = None,
    api_key_env: Annotated[str | None, typer.Option(help="Environment variable that holds the server's key.")] = None,
    mode: Annotated[str, typer.Option(help="auto, probabilities, text or decision.")] = "auto",
    abstain: Annotated[float, typer.Option(help="No opinion where the probability is nearer to 0.5 than this.")] = 0.0,
    cache: Annotated[str | None, typer.Option(help="Folder that remembers replies.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON.")] = None,
) -> None:
    """Measure how far a judge agrees with a labelled file."""
    from raif.judge_check import check_judge, read_labelled
    from raif.local_judge import make_judge
    from rewards.judge import parse_judge

    settings = {"model": model, "base_url": base_url, "api_key_env": api_key_env, "mode": mode}
    judge = make_judge(parse_judge({**settings, "abstain": abstain, "cache": cache}))
    labelled = read_labelled(rows)
    for line, problem in labelled.bad[:5]:
        say(f"{rows}:{line}: {problem}", "yellow")
    agreement, _ = check_judge(judge, labelled.rows)
    figures = json.dumps({**agreement.record(), "bad_lines": len(labelled.bad), "judge": judge.counts}, indent=2)
    if out is not None:
        out.write_text(figures + "\n", encoding="utf-8")
    console.print_json(figures)


@app.command()
def constraints(
    family: Annotated[str | None, typer.Option(help="Only this family, e.g. length.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the gallery, rewards/README.md.")] = False,
) -> None:
    """List the constraint types with their arguments."""
    from rewards.gallery import entries, markdown

    if as_markdown:
        sys.stdout.write(markdown())
        return
    rows = entries(family)
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n")
        return
    table = Table("type", "arguments", "meaning")
    for row in rows:
        table.add_row(row["type"], ", ".join(row["arguments"]), row["meaning"])
    console.print(table)


@app.command()
def schema(name: Annotated[str, typer.Argument(help="instruction or rewards.")]) -> None:
    """Print the JSON Schema of a record."""
    from rewards.schemas import schema as json_schema

    sys.stdout.write(json.dumps(json_schema(name), ensure_ascii=False, indent=1) + "\n")


@app.command()
def recipes() -> None:
    """List the shipped recipes."""
    from raif.resources import recipes as shipped_recipes

    table = Table("recipe", "what it does")
    for name, path in shipped_recipes().items():
        table.add_row(name, path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# "))
    console.print(table)


def main() -> None:
    """Run the command line; user errors end with one message and exit code 1."""
    guarded(app)
