"""What training commands do first: say how many ranks run, and find or build the policy."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import AutoConfig, Trainer

from data_gen.shards import WARM_START
from raif.chat import ChatFormat, ThinkFormat
from raif.checkpoints import forget_after, last_complete_checkpoint
from raif.generation import loading
from raif.graceful import EXIT_CODE, GracefulStop
from raif.memory import unreachable
from raif.model_paths import EMBEDDED, check_model_path
from raif.monitoring import quiet_libraries
from raif.run_folder import decided_by_main
from rewards.errors import RaifError

_DISTRIBUTED = ("ACCELERATE_", "MASTER_", "TORCHELASTIC_", "RANK", "LOCAL_", "WORLD_SIZE", "GROUP_", "ROLE_")


def run_training(start: Callable[[], bool]) -> None:
    """Run a training command and exit: 1 after an error of the user's, with one message; `EXIT_CODE` after a signal.

    Args:
        start: trains; returns whether a signal stopped it before its end.
    """
    quiet_libraries()
    try:
        stopped = start()
    except RaifError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        sys.stderr.write(f"error: {error.filename}: {error.strerror}. Check output_dir and the space on the disk.\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("stopped before training began; the same command starts again\n")
        sys.exit(130)
    if stopped:
        logging.getLogger("raif").warning("stopped by a signal; the same command goes on")
        sys.exit(EXIT_CODE)


def run_to_end(trainer: Trainer, output: Path, state: PartialState) -> bool:
    """Train from the last whole checkpoint of `output`, if any, and save `final`; False if a signal stopped it."""
    stop = GracefulStop()
    trainer.add_callback(stop)
    checkpoint = decided_by_main(lambda: last_complete_checkpoint(output, state.num_processes))
    forget_after(output, checkpoint, state.process_index, state.is_main_process)
    if checkpoint is not None:
        trainer.args.eval_on_start = False  # it would be logged twice
    state.wait_for_everyone()
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    state.wait_for_everyone()  # a rank that ends earlier would have the launcher end the others
    if stop.stopped:
        return False
    trainer.save_model(str(output / "final"))
    return True


def announce(state: PartialState, cpu_threads: int = 0) -> None:
    """Set the threads of this rank and say how many ranks run, since some launch settings silently start a single one.

    `cpu_threads` 0 takes OMP_NUM_THREADS, else shares the cores.
    """
    cores = os.cpu_count() or 1
    if state.device.type == "cpu" and (cpu_threads or "OMP_NUM_THREADS" not in os.environ):
        torch.set_num_threads(cpu_threads or max(1, cores // state.num_processes))
    logging.basicConfig(level=logging.INFO if state.is_main_process else logging.WARNING, format="raif: %(message)s")
    ranks = f"{state.num_processes} rank{'s' if state.num_processes > 1 else ''}"
    logging.getLogger("raif").info(
        "training on %s (%s, backend %s, %d threads each)",
        ranks, state.device.type, state.backend or "none", torch.get_num_threads(),
    )  # fmt: skip


def open_chat(
    policy: str, revision: str | None, trust_remote_code: bool, template_kwargs: Mapping[str, Any] | None, style: str
) -> tuple[ChatFormat, ThinkFormat]:
    """Load the policy's tokenizer and find how it is prompted and marks its thinking; `style` `auto` probes it."""
    options: dict[str, Any] = {"revision": revision, "trust_remote_code": trust_remote_code}
    try:
        AutoConfig.from_pretrained(policy, **options)
    except (OSError, ValueError) as error:
        raise unreachable(policy, error) from error
    chat = loading.open_chat(policy, loading.load_tokenizer(policy, padding_side="left", **options), template_kwargs)
    return chat, chat.probe(None if style == "auto" else style)  # type: ignore[arg-type]


def resolve_policy(name: str, data_folder: Path, output: Path, seed: int) -> str:
    """Return a model path; `embedded` builds the tiny policy once, from the data's warm-start demonstrations."""
    if name != EMBEDDED:
        check_model_path(name)
        return name
    folder = output / "policy"
    if (folder / "tokenizer_config.json").is_file():
        return str(folder)
    # In a process of its own: its trainer must not see the ranks of this one.
    alone = {name: value for name, value in os.environ.items() if not name.startswith(_DISTRIBUTED)}
    command = [sys.executable, "-m", "raif", "tiny", "--warm-start", str(data_folder / WARM_START)]
    if subprocess.run([*command, "--out", str(folder), "--seed", str(seed)], env=alone, check=False).returncode:
        raise RaifError("the embedded policy could not be built; the reason is above.")
    return str(folder)
