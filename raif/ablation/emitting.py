"""Give the runs of an ablation to others: a Slurm job array, or a wandb sweep over the same grid."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from raif.ablation.plan import Plan
from raif.ablation.running import choose, command_line

SLURM = """\
#!/usr/bin/env bash
# The {count} runs of the ablation {name}, one a task; a task that is finished already ends at once.
# Command: sbatch {script}
#   LAUNCH=echo SLURM_ARRAY_TASK_ID=0 bash {script}   print the first task's command and run nothing
#   sbatch --array 0-{last}%4 {script}   at most four at the same time
# Each task does line number $SLURM_ARRAY_TASK_ID of commands.txt, counted from 0. The first task of a seed makes its
# data while the others of that seed wait, so {out} must be on a file system whose locks reach every node.
# ENV_COMMAND is run first (module load ..., source .venv/bin/activate). Afterwards:
#   {collect}
# Five minutes before the limit a training is told to save; its task then returns to the queue and resumes.
#SBATCH --job-name=raif-ablate
#SBATCH --array=0-{last}
#SBATCH --nodes=1
#SBATCH --ntasks=1
{gpus}#SBATCH --time=24:00:00
#SBATCH --signal=USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={logs}/%x-%A-%a.log
set -euo pipefail
eval "${{ENV_COMMAND:-}}"
cd {folder}
command="$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {commands})"
code=0
"${{LAUNCH:-srun}}" --ntasks=1 bash -c "exec $command" || code=$?
if [ "$code" = 75 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
"""


def emit_slurm(plan: Plan, plan_name: str, out: Path, only: str | None = None) -> Path:
    """Write `slurm/array.sh` and `slurm/commands.txt` into a folder; return the former."""
    folder = out.resolve() / "slurm"
    folder.mkdir(parents=True, exist_ok=True)
    runs = choose(plan, only)
    name = _whole(plan_name)
    commands = folder / "commands.txt"
    commands.write_text("".join(f"{command_line(name, out.resolve(), run)}\n" for run in runs), encoding="utf-8")
    script = folder / "array.sh"
    gpus = f"#SBATCH --gpus-per-node={plan.num_processes}\n" if _needs_gpus(plan) else ""
    text = SLURM.format(
        count=len(runs), name=re.sub(r"\s+", " ", plan.name), script=script, last=len(runs) - 1, out=out.resolve(),
        collect=f"raif ablate {shlex.quote(name)} --out {shlex.quote(str(out.resolve()))} --collect",
        gpus=gpus, logs=folder, folder=shlex.quote(str(Path.cwd())), commands=shlex.quote(str(commands)),
    )  # fmt: skip
    script.write_text(text, encoding="utf-8", newline="\n")
    return script


def emit_wandb(plan: Plan, plan_name: str, out: Path, only: str | None = None) -> Path:
    """Write `sweep.yaml` into a folder: a grid over the runs, so that agents share them; return its path.

    An agent starts the command of a run, with its folder, its resuming and its evaluation. The settings of the axes
    are in the configuration that the training logs (with `report_to: wandb`).
    """
    out.mkdir(parents=True, exist_ok=True)
    sweep: dict[str, Any] = {
        "name": plan.name,
        "method": "grid",
        "program": "raif",
        "command": ["${env}", "raif", "ablate", _whole(plan_name), "--out", str(out.resolve()), "${args}"],
        "parameters": {"only": {"values": [run.id for run in choose(plan, only)]}},
    }
    path = out / "sweep.yaml"
    head = f"# The runs of the ablation {re.sub(chr(10), ' ', plan.name)}, shared by the agents of a sweep.\n"
    head += f"# Command: wandb sweep {path}, then wandb agent with the name that it prints, once a GPU\n"
    path.write_text(head + yaml.safe_dump(sweep, sort_keys=False), encoding="utf-8", newline="\n")
    return path


def _whole(plan_name: str) -> str:
    """Return a shipped plan's name as it is, and the path of one's own as a whole."""
    path = Path(plan_name)
    return str(path.resolve()) if path.is_file() else str(plan_name)


def _needs_gpus(plan: Plan) -> bool:
    from raif.recipes import load_recipe

    return not {**load_recipe(plan.train), **plan.set}.get("use_cpu", False)
