"""Read the attention of rollouts with the model that wrote them: prompts rendered as they were drawn, tokens, spans."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from random import Random
from typing import Any

import torch

from raif.attention.measures import Groups, measure
from raif.attention.passes import MEMORY, attention_masses, chunk_size
from raif.attention.records import AttentionRow, AttentionSettings, Evaluation
from raif.attention.spans import PromptSpans, Tokens, added_texts, overlapping, prompt_spans, random_spans, tokenize
from raif.generation.loading import load_model, load_tokenizer, open_chat
from raif.generation.local import model_identity
from raif.generation.prompts import template_identity
from raif.model_paths import check_model_path
from raif.sustain.records import CONSTRAINED, SustainRollout
from raif.sustain.runner import settings_of
from rewards.errors import RaifError

_LOCAL = ("transformers", "vllm")


class Reading:
    """A model with its chat format, and the evaluation whose rollouts it reads; weights are loaded when first used.

    Args:
        model: by default the one that drew.
        device: by default the first accelerator, or the CPU.
        memory: bytes that a layer's attention weights may take.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        model: str | None,
        settings: AttentionSettings,
        device: str | None = None,
        memory: int | None = None,
    ) -> None:
        self.settings, self.memory = settings, memory or MEMORY
        self.asked = evaluation.metrics["settings"]
        self.drawn: dict[str, Any] = self.asked["generator"]
        self.path = model or _path_of(self.drawn)
        check_model_path(self.path)
        self.device = _device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.items = {item.id: item for item in evaluation.items}
        self.sustain = settings_of(evaluation.metrics)
        self.chat = open_chat(self.path, load_tokenizer(self.path), self.drawn.get("template_kwargs"))

    def identity(self) -> dict[str, Any]:
        """Return what the rows depend on beside rollouts and settings."""
        return {**model_identity(self.path), **template_identity(self.chat), "dtype": "float32"}

    def notes(self) -> list[str]:
        """Say what tells this reading from the drawing."""
        found, now = [], self.identity()
        if self.drawn.get("backend") not in _LOCAL:
            found.append(
                f"the completions were drawn by {_author(self.drawn)}; their prompts "
                f"are rendered with the chat template of {self.path}"
            )
            return found
        for part in ("digest", "revision", "chat_template"):
            if (before := self.drawn.get(part)) and before != now.get(part):
                found.append(f"{part} of {self.path} is {now.get(part)}, that of the model that drew was {before}")
        return found

    @cached_property
    def model(self) -> Any:
        """The model in float32 with eager attention, which returns its weights."""
        model = load_model(self.path, dtype=torch.float32, attn_implementation="eager").eval()
        return model.to(self.device)

    def locate(self, rollouts: Sequence[SustainRollout]) -> list[PromptSpans]:
        """Render and tokenise the prompts of rollouts, and find the constraint in each.

        Raises:
            RaifError: naming the first item whose constraint is not found.
        """
        found = []
        for rollout in rollouts:
            texts = added_texts(self.items[rollout.instruction_id], rollout, self.sustain)
            system = self.asked.get("system_prompt")
            found.append(prompt_spans(self.chat, system, rollout.prompt, texts, rollout.instruction_id))
        return found

    def measure(self, rollout: SustainRollout, spans: PromptSpans) -> AttentionRow:
        """Run the model over a prompt and its output, and return what its attention was."""
        output = tokenize(self.chat, rollout.completion)
        steps = self._steps(rollout, output)
        groups = self._groups(rollout, spans)
        row = self._row(rollout, groups, len(steps))
        positions = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if not output.ids or not steps:
            return row.model_copy(update={"left_out": "no_answer" if output.ids else "empty"})
        if positions and len(spans.ids) + len(output.ids) > positions:
            return row.model_copy(update={"left_out": "too_long", "output_tokens": 0})
        chunk = chunk_size(self.model, len(spans.ids) + len(output.ids), self.memory)
        masses = attention_masses(self.model, spans.ids, output.ids, groups.listed(), chunk)
        return row.model_copy(update=measure(masses, groups, steps)._asdict())

    def _steps(self, rollout: SustainRollout, output: Tokens) -> list[int]:
        """Return the output steps that count: those of the tokens of the part."""
        if self.settings.part == "all":
            return list(range(len(output.ids)))
        answer = rollout.response.answer
        begin = rollout.completion.rfind(answer) if answer.strip() else -1
        return overlapping(output.offsets, begin, begin + len(answer)) if begin >= 0 else []

    def _groups(self, rollout: SustainRollout, spans: PromptSpans) -> Groups:
        inside = set(spans.constraint)
        name = f"{self.settings.seed}/{rollout.instruction_id}/{rollout.arm}/{rollout.place}/{rollout.sample}"
        return Groups(
            turn=spans.turn,
            constraint=spans.constraint,
            rest=[position for position in spans.turn if position not in inside],
            parts=spans.parts,
            spans=random_spans(spans.turn, spans.constraint, self.settings.draws, Random(name)),
        )

    def _row(self, rollout: SustainRollout, groups: Groups, steps: int) -> AttentionRow:
        constrained = rollout.arm == CONSTRAINED
        demands = self.items[rollout.instruction_id].at(rollout.dose, rollout.place) if constrained else ()
        return AttentionRow(
            id=rollout.instruction_id,
            domain=rollout.domain,
            arm=rollout.arm,
            dose=rollout.dose,
            place=rollout.place,
            sample=rollout.sample,
            labels=rollout.labels,
            solved=rollout.correct,
            met=rollout.met if constrained else None,
            family="+".join(sorted({demand.family for demand in demands})),
            constraint_tokens=len(groups.constraint),
            prompt_tokens=len(groups.turn),
            output_tokens=steps,
        )


def _device(name: str) -> str:
    """Return the name of a device that is there."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise RaifError(f"--device {name} cannot be used ({reason}); give cpu, or cuda:0 where a GPU is.") from error
    return name


def _author(drawn: dict[str, Any]) -> str:
    model = drawn.get("model")
    return f"{drawn.get('backend')} {model}" if model else "somebody who wrote a file of responses"


def _path_of(drawn: dict[str, Any]) -> str:
    """Return the model that drew, if its weights are at hand.

    Raises:
        RaifError: if it was not a local one.
    """
    if drawn.get("backend") not in _LOCAL:
        raise RaifError(
            f"the completions were drawn by {_author(drawn)}, which gives no attention; name a folder or hub name "
            "with the weights of the model that wrote them: --model MODEL."
        )
    return str(drawn["model"])
