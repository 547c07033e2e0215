"""RAIFTrainer: TRL's GRPOTrainer with sample-wise contrast, expert cloning and moving caps in the same step."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from accelerate.utils import gather_object
from transformers import GenerationConfig
from trl import GRPOTrainer

from raif.caps import cap_at
from raif.chat import ChatFormat
from raif.checks import check_packing
from raif.cloning import cloning_loss, coefficient
from raif.config import RAIFConfig
from raif.direct import Contrast, Scores
from raif.experts import Experts, Rider, expert_tensors
from raif.generation import Completion
from raif.held_out import HeldOut, own_randomness
from raif.latest import LatestRollouts
from raif.monitoring import drop_undecided
from raif.rollout_batch import RolloutBatch, Row
from raif.rollouts import append_jsonl
from raif.sampler import ResumableSampler
from raif.throughput import StopWatch
from rewards.reward_functions import RolloutReward


class RAIFTrainer(GRPOTrainer):
    """GRPO with sample-wise contrast and expert cloning; generation, rewards and logging are TRL's.

    The changes with respect to GRPOTrainer:
    - the generation call also draws `num_direct_generations` thinking-free answers per prompt;
    - advantages of rollouts that did worse than those answers become 0 (`raif.contrast`);
    - expert completions ride in the forward pass of the loss and add `cloning_coefficient` times their negative
      log-likelihood, in the same backward (`raif.cloning`);
    - the cap may move over training and differ by source (`raif.caps`).

    Args:
        reward: scores rollouts; see `rewards.reward_functions.RolloutReward`.
        references: stored outcome scores of direct answers by instruction id, for `contrast: reference`.

    Rows need the columns `id`, `prompt` (messages), `instruction` (JSON), `expert` (completion text, may be empty) and
    `cap` (tokens, 0 for that of the run).
    """

    args: RAIFConfig

    def __init__(
        self, *, reward: RolloutReward, args: RAIFConfig, references: Scores | None = None, **kwargs: Any
    ) -> None:
        self.reward = reward
        self._batch: RolloutBatch | None = None  # the rollouts being generated and scored
        self._batch_number: int | None = None  # counts generation batches from the start of the run
        self._rider: Rider | None = None  # experts on their way into the next forward
        self._rider_logps: torch.Tensor | None = None
        super().__init__(reward_funcs=reward, args=args, **kwargs)
        check_packing(args, self.accelerator.num_processes)  # only now TRL has decided on how to checkpoint
        logging.getLogger(GRPOTrainer.__module__).addFilter(_is_no_unscored_row)
        self.chat = ChatFormat(self._tokenizer, self.chat_template_kwargs)
        # vLLM deals the answers of several ranks out by equal counts
        same_count = self.use_vllm and (self.vllm_mode == "server" or args.vllm_tensor_parallel_size > 1)
        self.contrast = Contrast(args, self.chat, reward, self._texts, references, same_count)
        self.experts = Experts(args, self.chat, reward, self.train_dataset)
        self.watch = StopWatch(args.generation_cycle)
        self.latest = LatestRollouts(reward, self._texts)
        self.held_out = HeldOut(Path(args.output_dir) / "held_out.jsonl", self.num_generations_eval)
        self.log_completions = False  # raif.tables writes the table: TRL's is made before contrast

    # ---- data order -------------------------------------------------------------------------------------------

    def _get_train_sampler(self, dataset: Any = None) -> ResumableSampler:
        base = super()._get_train_sampler(dataset)
        sampler = ResumableSampler(
            base.data_source, base.mini_repeat_count, base.batch_size, base.repeat_count, base.shuffle, base.seed
        )
        sampler.epoch = lambda: int((self.state.epoch or 0) + 1e-6)
        return sampler

    # ---- generation and scoring -------------------------------------------------------------------------------

    def _generate_and_score_completions(self, inputs: list[Row]) -> dict[str, Any]:
        training = self.model.training
        step = self.state.global_step
        self.reward.stage_limit = cap_at(self.args.cap_curriculum, step, self.state.max_steps) if training else None
        limits = [self.reward.cap_of(row["cap"]).limit for row in inputs]  # type: ignore[union-attr]
        size = self.num_generations if training else 1
        batch = self._batch = RolloutBatch.of(inputs, size, limits)
        if training:
            self.contrast.prepare(batch, step)
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        batch.rewards = self.reward.last
        if not training:
            self.held_out.add(inputs, batch.rewards, batch.rollout_ids)
        else:
            with self.watch.measure("reward"):
                found = self.contrast.apply(batch, step, self.state.max_steps)
            kept = torch.tensor(batch.kept, device=output["advantages"].device)
            output["advantages"] = output["advantages"] * kept
            if self.args.cloning_coefficient > 0:
                output |= self._expert_rows(batch, found)
            self._log_all(found | {"caps/limit": fmean(limits)}, batch.contrasted)
            self._record(batch, output["advantages"].tolist())
        return output

    def _calculate_rewards(
        self, inputs: list[Row], prompts: list[Any], completions: list[Any], completion_ids: list[list[int]]
    ) -> Any:
        """Score what was written: a tokenizer's response template would drop tool calls and mend broken thinking."""
        with self.watch.measure("reward"):
            return super()._calculate_rewards(inputs, prompts, self._texts(completion_ids), completion_ids)

    def _generate_single_turn(
        self, prompt_ids: list[list[int]], images: Any, fields: Any, num_generations: int, *args: Any, **kw: Any
    ) -> Any:
        """Generate direct answers in the same call as the rollouts, up to the cap of the stage."""
        batch = self._batch
        assert batch is not None
        if batch.direct_prompts:
            # every row becomes a prompt of its own: the vLLM server path slices repeated prompts
            prompt_ids, num_generations = [*prompt_ids, *batch.direct_prompts], 1
        limit = self.reward.cap_of().limit  # type: ignore[union-attr]  # the same on every rank, as a server needs it
        with self.watch.measure("generation"), self._generating_up_to(limit):
            ids, logps = super()._generate_single_turn(prompt_ids, images, fields, num_generations, *args, **kw)
        self.watch.count(sum(map(len, ids)))
        return batch.receive(ids, logps, self._tokenizer.eos_token_id)

    @contextmanager
    def _generating_up_to(self, limit: int) -> Iterator[None]:
        """Let the backend generate so many tokens at most; `max_completion_length` itself is also a normaliser."""
        backend: Any = self.vllm_generation if self.use_vllm else self.generation_config
        name = "max_completion_length" if self.use_vllm else "max_new_tokens"
        before = getattr(backend, name)
        setattr(backend, name, limit)
        try:
            yield
        finally:
            setattr(backend, name, before)

    # ---- loss -------------------------------------------------------------------------------------------------

    def training_step(self, *args: Any, **kw: Any) -> Any:
        """Count the rest of a micro-batch, backward included, as loss; generation and scoring count for themselves."""
        with self.watch.measure("loss"):
            return super().training_step(*args, **kw)

    def _expert_rows(self, batch: RolloutBatch, found: dict[str, float]) -> dict[str, Any]:
        """Return the tensors of the batch's experts and, 0-dim, the sum of their weights over all ranks."""
        device = self.accelerator.device
        ranks = self.accelerator.num_processes
        experts, shares = self.experts.choose(batch, self._next_batch_number(), self.accelerator.process_index, ranks)
        found |= shares | {"cloning/tokens": float(sum(len(expert.completion) for expert in experts) * ranks)}
        tensors = expert_tensors(experts, len(batch.rows), self.args.cloning_mean, self._tokenizer.pad_token_id, device)
        total = self.accelerator.gather(tensors["expert_weights"].sum()).sum()
        return tensors | {"expert_total": total}

    def _next_batch_number(self) -> int:
        """Count generation batches; a resumed run goes on where the checkpoint was, at the end of a cycle."""
        if self._batch_number is None:
            micro_batches = round((self.state.epoch or 0.0) * len(self.callback_handler.train_dataloader))
            self._batch_number = micro_batches // (self.args.steps_per_generation * self.num_iterations)
        else:
            self._batch_number += 1
        return self._batch_number

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        if "expert_ids" not in inputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        rider = Rider.of(inputs)
        if self.args.cloning_packing:
            logps, weights = self._packed_logps(model, rider)
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        else:
            self._rider = rider if len(rider.ids) else None
            loss = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            logps, self._rider_logps = self._rider_logps, None
            weights = rider.weights
        # A mean over the optimiser step and all ranks, as loss_type="dapo" takes it: where a step is not one generation
        # batch, its average share of the batch counts. The loss is scaled for accumulation; this term divides itself.
        share = self.current_gradient_accumulation_steps / self.args.steps_per_generation
        smallest = torch.finfo(inputs["expert_total"].dtype).tiny
        normalizer = inputs["expert_total"].clamp(min=smallest) * share / self.accelerator.num_processes
        cloning = loss.new_zeros(()) if logps is None else cloning_loss(logps, weights, normalizer)
        progress = self.state.global_step / max(1, self.state.max_steps)
        weight = coefficient(self.args.cloning_coefficient, self.args.cloning_schedule, progress)
        if inputs["expert_total"] > 0:
            self._metric("cloning/loss", cloning.item() * self.current_gradient_accumulation_steps)
        self._metric("cloning/coefficient", weight)
        return loss + weight * cloning

    def _packed_logps(self, model: Any, rider: Rider) -> tuple[torch.Tensor, torch.Tensor]:
        """Return log-probabilities and weights (1, T - 1) of all experts of a micro-batch in one row."""
        ids, positions, weights = rider.packed()
        if not ids.numel():  # every rank takes part in the forward, which sharded parameters are gathered for
            ids = torch.full((1, 2), self._tokenizer.pad_token_id, device=ids.device)
            positions, weights = torch.arange(2, device=ids.device)[None], weights.new_zeros(1, 2)
        labels = ids.masked_fill(weights == 0, -100)
        with self.accelerator.autocast():
            output = model(input_ids=ids, position_ids=positions, labels=labels, fused_lm_head=True)
        return output.log_probs, weights[:, 1:]

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
        rows = input_ids.size(0)
        ids, mask, keep = rider.join(input_ids, attention_mask, logits_to_keep, self._tokenizer.pad_token_id)
        logps, entropies, *rest = parent(model, ids, mask, keep, *args, **kw)
        self._rider_logps = logps[rows:, : rider.ids.size(1)]
        cut = slice(None, rows), slice(None, logits_to_keep)
        return (logps[cut], None if entropies is None else entropies[cut], *rest)

    # ---- evaluation -------------------------------------------------------------------------------------------

    def evaluate(self, *args: Any, **kw: Any) -> dict[str, float]:
        """Evaluate with the same random numbers each time, and put those of training back.

        A vLLM server has random numbers of its own, which stay where the evaluation leaves them.
        """
        self.held_out.begin()
        with own_randomness(self.args.seed + self.accelerator.process_index, self.accelerator.device):
            metrics: dict[str, float] = super().evaluate(*args, **kw)
        return metrics

    def draw_greedily(self, prompts: Sequence[list[int]], count: int = 0) -> list[Completion]:
        """Complete prompts with the present policy, its most likely token each time, and leave training as it was.

        Every rank calls this at once and draws `count` completions, doubles of its last prompt where it has fewer:
        sharded parameters are gathered for each batch.
        """
        wanted = [*prompts, *[prompts[-1] if prompts else [self._tokenizer.eos_token_id]] * (count - len(prompts))]
        size, ids = self.args.per_device_eval_batch_size, list[list[int]]()
        was_training = self.model.training
        with own_randomness(self.args.seed + self.accelerator.process_index, self.accelerator.device), self._greedy():
            for start in range(0, len(wanted), size):
                self.model.eval()  # continuous batching ends in training mode
                ids += super()._generate_single_turn(wanted[start : start + size], None, {}, 1)[0]
        self.model.train(was_training)
        drawn = ids[: len(prompts)]
        ended = (bool(row) and row[-1] in self.eos_token_ids for row in drawn)
        texts = self._texts(drawn)
        return [Completion(text, len(row), end) for text, row, end in zip(texts, drawn, ended, strict=True)]

    @contextmanager
    def _greedy(self) -> Iterator[None]:
        """Let the backend take the most likely token."""
        backend: Any = self.vllm_generation if self.use_vllm else self
        name = "temperature" if self.use_vllm else "generation_config"
        before = getattr(backend, name)
        plain = {"do_sample": False, "temperature": 1.0, "top_p": 1.0, "top_k": 50, "min_p": None}
        setattr(backend, name, 0.0 if self.use_vllm else GenerationConfig(**{**before.to_dict(), **plain}))
        try:
            yield
        finally:
            setattr(backend, name, before)

    # ---- records and metrics ----------------------------------------------------------------------------------

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Leave the card to `raif.card`, which knows recipe, data and metrics; TRL would draft one at every save."""

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add throughput to training logs, and exact figures over all held-out items to those of an evaluation.

        The dictionary is changed in place: what `evaluate` returns, and the best model is chosen by, is the same one.
        """
        if self.model.training:
            for name, value in self.watch.lap(self._sums).items():
                self._metrics["train"][name].append(value)
        elif any(name.startswith("eval_") for name in logs):
            is_main = self.accelerator.is_main_process
            found = self.held_out.finish(self.state.global_step, gather=gather_object, is_main=is_main)
            for name, value in found.items():
                self._metrics["eval"][name.removeprefix("eval_")] = [value]  # TRL's are means of means over batches
        for metrics in self._metrics.values():
            drop_undecided(metrics)
        super().log(logs, start_time)

    def log_apart(self, logs: dict[str, float]) -> None:
        """Log values of the present step at once; the training metrics go on being collected for their own log."""
        is_due = self.control.should_log
        super(GRPOTrainer, self).log(logs)
        self.control.should_log = is_due  # a log of this step that is still to come

    def _sums(self, values: list[float]) -> list[float]:
        """Add a list of numbers up over ranks."""
        tensor = torch.tensor(values, dtype=torch.float32, device=self.accelerator.device)
        sums: list[float] = self.accelerator.reduce(tensor, reduction="sum").tolist()
        return sums

    def _texts(self, ids: list[list[int]]) -> list[str]:
        texts: list[str] = self._tokenizer.batch_decode(ids, skip_special_tokens=True) if ids else []
        return texts

    def _metric(self, name: str, value: float) -> None:
        """Log the mean of a value that every rank has."""
        gathered = self.accelerator.gather(torch.tensor(float(value), device=self.accelerator.device))
        self._metrics["train"][name].append(gathered.nanmean().item())

    def _log_all(self, found: Mapping[str, float], contrasted: int) -> None:
        """Log means over the ranks that have a value; those of contrast weigh as many groups as it looked at there."""
        values: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for of_rank, groups in gather_object([(dict(found), contrasted)]):
            for name, value in of_rank.items():
                values[name].append((value, max(1, groups) if name.startswith("contrast/") else 1))
        for name, of_ranks in values.items():
            numbers, weights = zip(*of_ranks, strict=True)
            self._metrics["train"][name].append(fmean(numbers, weights))

    def _record(self, batch: RolloutBatch, advantages: list[float]) -> None:
        """Append this step's rollouts, direct ones included, to `rollouts/rank{r}.jsonl`."""
        self.latest.update(batch, advantages, self.state.global_step + 1)
        if self.args.record_rollouts:
            rank = self.accelerator.process_index
            append_jsonl(Path(self.args.output_dir) / "rollouts" / f"rank{rank}.jsonl", self.latest.records())


def _is_no_unscored_row(record: logging.LogRecord) -> bool:
    """Drop TRL's dump of every unscored row; the `unscored` metric, its alarm and the rollouts tell more."""
    return "All reward functions returned None" not in record.getMessage()
