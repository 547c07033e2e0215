"""A small SUSTAIN evaluation whose outputs a test dictates, and a model whose attention is known exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, Qwen3ForCausalLM

from data_gen.experts import WarmStartRow
from data_gen.self_evident import place
from raif.attention.records import Evaluation
from raif.generation.local import LocalModel
from raif.rollouts import LeafRecord
from raif.sustain.records import CONSTRAINED, FIRST, PLACEBO, Demand, SustainItem, SustainRollout, Task, item_record
from raif.sustain.settings import SustainSettings
from raif.tiny import TinyRecipe, build_model, build_tokenizer
from rewards.task_answer import MathAnswer

FIRST_TEXT, SECOND_TEXT = "Do not use any commas.", "Use at most 9 words."
NEUTRAL = "Tea is popular."
RECIPE = TinyRecipe(vocab_size=320, hidden_size=32, layers=2, heads=2)
Outcome = tuple[str, bool | None, bool | None]  # completion, solved, met


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer with the chat template of the embedded policy."""
    task = "Here is a small task. Add 1 and 2 to it, and then say what the sum is."
    text = f"{task} {FIRST_TEXT} {SECOND_TEXT} {NEUTRAL} The sum is 3."
    row = WarmStartRow(instruction_id="-", prompt=text, thinking="I add them", answer="It is 3.", hard=True)
    return build_tokenizer([row], RECIPE.vocab_size)


def save_uniform(folder: Path) -> Path:
    """Save a model whose queries are zero: every token gets the same attention."""
    words = tokenizer()
    model = build_model(words, 0, RECIPE)
    return _saved(_silenced(model), words, folder)


def _silenced(model: Qwen3ForCausalLM) -> Qwen3ForCausalLM:
    for layer in model.model.layers:
        torch.nn.init.zeros_(layer.self_attn.q_proj.weight)
    return model


def _saved(model: Any, words: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def known_model(kinds: Sequence[int], odds: Sequence[Sequence[Mapping[int, float]]]) -> GPT2LMHeadModel:
    """Return a two-layer, two-head model in which a token's attention depends on kinds of tokens alone.

    Args:
        kinds: of each token of the vocabulary: 0 plain, 1 marked, 2 a plain one that looks for the marked.
        odds: by layer and head, what a marked token weighs against a plain one for a query of kind 0 (and 1), or 2.
    """
    config = GPT2Config(
        vocab_size=len(kinds), n_embd=8, n_layer=2, n_head=2, n_positions=4096, bos_token_id=0, eos_token_id=0
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        # the embedding is its own layer norm: mean 0, variance 1 (up to epsilon, which the odds are corrected for)
        embedding = torch.tensor(
            [[1.0, -1, 1, -1, 1, -1, 1, -1], [1.0, 1, -1, -1, 1, 1, -1, -1], [1.0] * 4 + [-1.0] * 4]
        )
        model.transformer.wte.weight.copy_(embedding[list(kinds)])
        norm = 1 / math.sqrt(1 + config.layer_norm_epsilon)
        for block, heads in zip(model.transformer.h, odds, strict=True):
            block.ln_1.weight.fill_(1 / norm)
            query, key = block.attn.c_attn.weight[:, :8], block.attn.c_attn.weight[:, 8:16]
            for head, one in enumerate(heads):
                for kind in range(3):  # scores are q k / sqrt(4)
                    logit = math.log(one.get(kind, one[0]))
                    query[:, 4 * head] += 2 * logit * embedding[kind] / 8
                key[:, 4 * head] += embedding[1] / 8
    model.set_attn_implementation("eager")
    return model.eval()


def save_seeking(folder: Path, odds: float) -> Path:
    """Save a model in which `!` looks for the tokens of the first constraint, and nothing else does."""
    words = tokenizer()
    marked, seeking = set(words(FIRST_TEXT, add_special_tokens=False)["input_ids"]), words.convert_tokens_to_ids("!")
    kinds = [2 if token == seeking else int(token in marked) for token in range(len(words))]
    plain = {0: 1.0, 2: odds}
    return _saved(known_model(kinds, [[plain, plain], [plain, plain]]), words, folder)


def demand(text: str, family: str) -> Demand:
    return Demand(group="length", family=family, slots={}, text=text)


def evaluation(
    model: str | Path, outcomes: Mapping[str, Sequence[Outcome]], *, demands: int = 1, system: str | None = None
) -> Evaluation:
    """Return an evaluation with these outputs of each item under its constraints, and a placebo rollout of each."""
    settings = SustainSettings(doses=(1, 2), placement="suffix")
    items, rollouts = [], []
    for number, (key, outputs) in enumerate(outcomes.items()):
        item = _item(key, number)
        items.append(item)
        texts = [each.text for each in item.demands[:demands]]
        prompt = place(item.task.request, texts, "en", settings.placement)
        rollouts += [_rollout(item, CONSTRAINED, prompt, demands, i, each) for i, each in enumerate(outputs)]
        neutral = place(item.task.request, [NEUTRAL], "en", settings.placement)
        rollouts.append(_rollout(item, PLACEBO, neutral, demands, 0, outputs[0]))
    metrics = {
        "schema_version": 2,
        "suite": "sustain",
        "n": len(items),
        "settings": {
            "sustain": settings.model_dump(mode="json", exclude={"qa_score", "tau"}),
            "options": settings.model_dump(mode="json", include={"qa_score", "tau"}),
            "system_prompt": system,
            "generator": LocalModel(str(model), device="cpu").identity(),
        },
    }
    return Evaluation(metrics, items, rollouts)


def write(found: Evaluation, folder: Path) -> Path:
    """Write an evaluation as its command does."""
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps(found.metrics))
    prompts = {rollout.instruction_id: rollout.prompt for rollout in found.rollouts}
    items = [json.dumps(item_record(item, prompts[item.id])) + "\n" for item in found.items]
    (folder / "items.jsonl").write_text("".join(items))
    begun = {rollout.instruction_id: rollout for rollout in reversed(found.rollouts)}.values()
    firsts = [one.model_copy(update={"arm": FIRST, "dose": 0, "place": 0, "sample": 0}) for one in begun]
    lines = [rollout.model_dump_json() + "\n" for rollout in (*firsts, *found.rollouts)]
    (folder / "rollouts.jsonl").write_text("".join(lines))
    return folder


def mixed(count: int, text: Callable[[int, bool], str]) -> dict[str, list[Outcome]]:
    """Return items of which every second one fails, and every third one breaks its constraint."""
    return {f"set/{i}": [(text(i, i % 2 == 0), i % 2 == 1, i % 3 != 0)] for i in range(count)}


def _item(key: str, number: int) -> SustainItem:
    task = Task(
        id=key,
        domain="math",
        request=f"Here is a small task. Add {number} and {number + 1} to it, and then say what the sum is.",
        answer=MathAnswer(value=str(2 * number + 1)),
        source="test",
    )
    demands = (demand(FIRST_TEXT, "no_comma"), demand(SECOND_TEXT, "words"))
    return SustainItem(task=task, witness="It is 3.", score=1.0, demands=demands)


def _rollout(item: SustainItem, arm: str, prompt: str, dose: int, sample: int, outcome: Outcome) -> SustainRollout:
    completion, solved, met = outcome
    verdict = LeafRecord(path="0", type="-", status="satisfied" if met else "violated", evidence="")
    return SustainRollout(
        instruction_id=item.id,
        group=0,
        sample=sample,
        completion=completion,
        completion_tokens=len(completion.split()),
        finish_reason="stop",
        well_formed=True,
        reward=None,
        outcome=None,
        parts={},
        correct=solved,
        hard=met,
        soft=None,
        verdicts=(verdict,) if arm == CONSTRAINED else (),
        arm=arm,
        domain="math",
        prompt=prompt,
        dose=dose,
    )
