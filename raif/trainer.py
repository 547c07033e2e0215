"""RAIFTrainer: TRL's GRPOTrainer with sample-wise contrast and expert cloning in the same step."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import pad as pad_columns
from trl import GRPOTrainer
from trl.trainer.utils import RepeatSampler, pad

from raif.chat import ChatFormat
from raif.cloning import cloning_loss, coefficient, is_live
from raif.config import RAIFConfig
from raif.contrast import keep_group
from raif.rollouts import Rollout, append_jsonl
from rewards.metrics import metrics
from rewards.reward import Reward
from rewards.reward_functions import RolloutReward

Row = dict[str, Any]


class ResumableSampler(RepeatSampler):
    """RepeatSampler whose order depends on (seed, epoch) alone.

    TRL restores no sampler state, so a run resumed in a later epoch would replay the first epoch's order. The epoch
    is read from the trainer when iteration begins.
    """

    epoch: Any = staticmethod(lambda: 0)

    def __iter__(self) -> Any:
        if self.shuffle:
            self.generator.manual_seed((self.seed or 0) * 1_000_003 + self.epoch())
        return super().__iter__()


class RAIFTrainer(GRPOTrainer):
    """GRPO with sample-wise contrast and expert cloning; generation, rewards and logging are TRL's.

    The changes with respect to GRPOTrainer:
    - the generation call also draws `num_direct_generations` thinking-free answers per prompt;
    - advantages of rollouts that did worse than those answers become 0 (`raif.contrast`);
    - expert completions ride in the forward pass of the loss and add `cloning_coefficient` times their negative
      log-likelihood, in the same backward (`raif.cloning`).

    Rows need the columns `prompt` (messages), `instruction` (JSON) and `expert` (completion text, may be empty).
    """

    args: RAIFConfig

    def __init__(self, *, reward: RolloutReward, args: RAIFConfig, **kwargs: Any) -> None:
        self.reward = reward
        self._direct_prompts: list[list[int]] = []  # set while a contrast batch is being generated
        self._rollout_ids: list[list[int]] = []
        self._direct_ids: list[list[int]] = []
        self._rider: tuple[torch.Tensor, torch.Tensor, int] | None = None
        self._rider_logps: torch.Tensor | None = None
        super().__init__(reward_funcs=reward, args=args, **kwargs)
        logging.getLogger(GRPOTrainer.__module__).addFilter(_is_no_unscored_row)
        self.chat = ChatFormat(self._tokenizer, self.chat_template_kwargs)

    # ---- data order -------------------------------------------------------------------------------------------

    def _get_train_sampler(self, dataset: Any = None) -> ResumableSampler:
        base = super()._get_train_sampler(dataset)
        sampler = ResumableSampler(
            base.data_source, base.mini_repeat_count, base.batch_size, base.repeat_count, base.shuffle, base.seed
        )
        sampler.epoch = lambda: int((self.state.epoch or 0) + 1e-6)
        return sampler

    # ---- generation and scoring -------------------------------------------------------------------------------

    def _generate_single_turn(self, prompt_ids: list[list[int]], *args: Any, **kwargs: Any) -> Any:
        """Generate direct answers in the same call as the rollouts, and guard against empty completions."""
        direct = self._direct_prompts
        if direct:
            # num_generations=1: every row is a prompt of its own (the vLLM server path slices repeated prompts)
            images, fields, _, *rest = args
            ids, logps = super()._generate_single_turn([*prompt_ids, *direct], images, fields, 1, *rest, **kwargs)
        else:
            ids, logps = super()._generate_single_turn(prompt_ids, *args, **kwargs)
        ids = [row or [self._tokenizer.eos_token_id] for row in ids]  # TRL reads the last token of every row
        count = len(prompt_ids)
        self._rollout_ids, self._direct_ids = ids[:count], ids[count:]
        return ids[:count], None if logps is None else logps[:count]

    def _generate_and_score_completions(self, inputs: list[Row]) -> dict[str, Any]:
        training = self.model.training
        groups = _groups(inputs)
        if training and self.args.contrast == "online":
            self._direct_prompts = self._direct_prompt_ids(inputs, groups)
        try:
            output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        finally:
            self._direct_prompts = []
        if not training:
            return output
        rewards = self.reward.last
        direct = self._score_direct(inputs, groups) if self._direct_ids else []
        kept = self._keep(rewards, direct, groups)
        output["advantages"] = output["advantages"] * torch.tensor(kept, device=output["advantages"].device)
        if self.args.cloning_coefficient > 0:
            output |= self._expert_rows(inputs, rewards, groups)
        self._record(inputs, output, rewards, direct, kept, groups)
        return output

    def _direct_prompt_ids(self, inputs: list[Row], groups: Sequence[Sequence[int]]) -> list[list[int]]:
        texts = [self.chat.direct_prompt(inputs[rows[0]]["prompt"]) for rows in groups]
        repeated = [text for text in texts for _ in range(self.args.num_direct_generations)]
        return self.chat.ids(repeated)

    def _score_direct(self, inputs: list[Row], groups: Sequence[Sequence[int]]) -> list[list[Reward]]:
        """Score the direct answers on the answer alone; one list per group."""
        count = self.args.num_direct_generations
        tasks = [inputs[rows[0]]["instruction"] for rows in groups for _ in range(count)]
        texts = self._tokenizer.batch_decode(self._direct_ids, skip_special_tokens=True)
        scored = self.reward.breakdowns(texts, self._direct_ids, tasks, direct=True)
        return [scored[i : i + count] for i in range(0, len(scored), count)]

    def _keep(self, rewards: list[Reward], direct: list[list[Reward]], groups: Sequence[Sequence[int]]) -> list[bool]:
        kept = [True] * len(rewards)
        for rows, group_direct in zip(groups, direct, strict=False):
            flags = keep_group(
                [rewards[i].outcome for i in rows],
                [reward.outcome for reward in group_direct],
                [not rewards[i].well_formed for i in rows],
                level=self.args.contrast_level,
                statistic=self.args.contrast_statistic,
                margin=self.args.contrast_margin,
            )
            for row, flag in zip(rows, flags, strict=True):
                kept[row] = flag
        if direct:
            self._log_contrast(rewards, [reward for group in direct for reward in group], kept)
        return kept

    # ---- expert cloning ---------------------------------------------------------------------------------------

    def _expert_rows(self, inputs: list[Row], rewards: list[Reward], groups: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Return expert tokens (B, L), their mask and the global number of live expert tokens (0-dim).

        Every row carries its expert so that TRL can shuffle and split rows; a group's expert is live on one row.
        """
        experts = [row["expert"] for row in inputs]
        eos = self._tokenizer.eos_token_id
        ids = [
            [*self._tokenizer(text, add_special_tokens=False)["input_ids"], eos] if text else [eos] for text in experts
        ]
        live = [False] * len(inputs)
        firsts = [rows[0] for rows in groups]
        expert_rewards = self.reward.breakdowns(
            [experts[i] for i in firsts], [ids[i] for i in firsts], [inputs[i]["instruction"] for i in firsts]
        )
        for rows, reward in zip(groups, expert_rewards, strict=True):
            fits = bool(experts[rows[0]]) and len(ids[rows[0]]) <= self.args.max_completion_length
            live[rows[0]] = fits and is_live(self.args.cloning_gate, reward.total, [rewards[i].total for i in rows])
        device = self.accelerator.device
        tokens = [torch.tensor(row, device=device) for row in ids]
        masks = [torch.full_like(row, int(on)) for row, on in zip(tokens, live, strict=True)]
        mask = pad(masks, padding_value=0, padding_side="right")
        self._metric("cloning/live_groups", sum(live) / len(groups))
        return {
            "expert_ids": pad(tokens, padding_value=self._tokenizer.pad_token_id, padding_side="right"),
            "expert_mask": mask,
            "expert_tokens": self.accelerator.gather(mask.sum()).sum(),
        }

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        if "expert_ids" not in inputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        live = inputs["expert_mask"].sum(1) > 0
        expert_mask = inputs["expert_mask"][live]
        if live.any():
            ids = torch.cat([inputs["prompt_ids"], inputs["expert_ids"]], dim=1)[live]
            attention = torch.cat([inputs["prompt_mask"], inputs["expert_mask"]], dim=1)[live]
            self._rider = ids, attention, expert_mask.size(1)
        loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        # Token mean over the optimiser step, all ranks: the normaliser of loss_type="dapo". The loss is scaled for
        # gradient accumulation already, so this term divides itself.
        share = self.current_gradient_accumulation_steps / self.args.steps_per_generation
        normalizer = inputs["expert_tokens"].clamp(min=1) * share / self.accelerator.num_processes
        logps, self._rider_logps = self._rider_logps, None
        cloning = loss.new_zeros(()) if logps is None else cloning_loss(logps, expert_mask, normalizer)
        progress = self.state.global_step / max(1, self.state.max_steps)
        weight = coefficient(self.args.cloning_coefficient, self.args.cloning_schedule, progress)
        if inputs["expert_tokens"] > 0:
            self._metric("cloning/loss", cloning.item() * self.current_gradient_accumulation_steps)
        self._metric("cloning/coefficient", weight)
        return loss + weight * cloning

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        *args: Any,
        **kw: Any,
    ) -> Any:
        """Let the expert rows ride in the forward of the rollouts: one forward survives reentrant checkpointing."""
        rider, self._rider = self._rider, None
        parent = super()._get_per_token_logps_and_entropies
        if rider is None:
            return parent(model, input_ids, attention_mask, logits_to_keep, *args, **kw)
        expert_ids, expert_attention, length = rider
        rows, keep = input_ids.size(0), max(logits_to_keep, length)
        pad_id = self._tokenizer.pad_token_id
        ids = _stack(input_ids, keep - logits_to_keep, expert_ids, keep - length, pad_id)
        attention = _stack(attention_mask, keep - logits_to_keep, expert_attention, keep - length, 0)
        logps, entropies, *rest = parent(model, ids, attention, keep, *args, **kw)
        self._rider_logps = logps[rows:, :length]
        cut = slice(None, rows), slice(None, logits_to_keep)
        return (logps[cut], None if entropies is None else entropies[cut], *rest)

    # ---- records and metrics ----------------------------------------------------------------------------------

    def _metric(self, name: str, value: float) -> None:
        """Log the mean of a value over ranks."""
        gathered = self.accelerator.gather(torch.tensor(float(value), device=self.accelerator.device))
        self._metrics["train"][name].append(gathered.nanmean().item())

    def _log_contrast(self, rewards: list[Reward], direct: list[Reward], kept: list[bool]) -> None:
        thinking_hacc, direct_hacc = (metrics(part).get("hacc", float("nan")) for part in (rewards, direct))
        tokens = sum(map(len, self._direct_ids))
        self._metric("contrast/keep_ratio", sum(kept) / len(kept))
        self._metric("contrast/direct_hacc", direct_hacc)
        self._metric("contrast/thinking_minus_direct", thinking_hacc - direct_hacc)
        self._metric("contrast/direct_tokens", tokens / max(1, len(direct)))

    def _record(
        self,
        inputs: list[Row],
        output: dict[str, Any],
        rewards: list[Reward],
        direct: list[list[Reward]],
        kept: list[bool],
        groups: Sequence[Sequence[int]],
    ) -> None:
        """Append this step's rollouts, direct ones included, to `rollouts/rank{r}.jsonl`."""
        if not self.args.record_rollouts:
            return
        advantages = output["advantages"].tolist()
        records = []
        for group, rows in enumerate(groups):
            for sample, i in enumerate(rows):
                extra = {"advantage": advantages[i], "kept": kept[i]}
                records.append(self._rollout(inputs[i], rewards[i], self._rollout_ids[i], group, sample, **extra))
            for sample, reward in enumerate(direct[group] if direct else []):
                token_ids = self._direct_ids[group * self.args.num_direct_generations + sample]
                records.append(self._rollout(inputs[rows[0]], reward, token_ids, group, sample, direct=True))
        path = Path(self.args.output_dir) / "rollouts" / f"rank{self.accelerator.process_index}.jsonl"
        append_jsonl(path, records)

    def _rollout(self, row: Row, reward: Reward, ids: list[int], group: int, sample: int, **extra: Any) -> Rollout:
        return Rollout.build(
            reward,
            instruction_id=row["id"],
            step=self.state.global_step + 1,
            group=group,
            sample=sample,
            completion=self._tokenizer.decode(ids, skip_special_tokens=True),
            completion_tokens=len(ids),
            finish_reason="stop" if ids and ids[-1] in self.reward.eos_token_ids else "length",
            **extra,
        )


def _is_no_unscored_row(record: logging.LogRecord) -> bool:
    """Drop TRL's dump of every unscored row; the `unscored` metric, its alarm and the rollouts tell more."""
    return "All reward functions returned None" not in record.getMessage()


def _groups(inputs: Sequence[Row]) -> list[list[int]]:
    """Return the row numbers of each local prompt; the rows of a group are neighbours (see RAIFConfig's checks)."""
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(inputs):
        groups.setdefault(row["id"], []).append(index)
    return list(groups.values())


def _stack(first: torch.Tensor, first_pad: int, second: torch.Tensor, second_pad: int, value: int) -> torch.Tensor:
    return torch.cat(
        [pad_columns(first, (0, first_pad), value=value), pad_columns(second, (0, second_pad), value=value)]
    )
