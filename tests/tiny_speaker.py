"""A real tiny model whose weights are set by hand so that it closes its thinking, says one word and ends.

Attention and feed-forward layers add nothing, so the next token hangs on the current one alone, and the head names it.
A random model would be as real, but no judge: nobody could read what it says.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch

from data_gen.experts import WarmStartRow
from raif.tiny import TinyRecipe, build_model, build_tokenizer
from rewards.think_styles import CLOSE, OPEN

POSITIONS = 65_536  # Chinese prompts are long in bytes


def save_speaker(folder: Path, word: str = "YES") -> Path:
    """Save a model that answers every prompt with `word`."""
    row = WarmStartRow(instruction_id="-", prompt=f"Say {word} {word}.", thinking="", answer=word, hard=True)
    recipe = TinyRecipe(vocab_size=320, hidden_size=64, layers=1, heads=2)
    tokenizer = build_tokenizer([row], recipe.vocab_size)
    model = build_model(tokenizer, 0, recipe)
    model.config.max_position_embeddings = POSITIONS
    said = [*tokenizer(f"{OPEN}{CLOSE}{word}", add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    if len(set(said)) < len(said):
        raise ValueError(f"{word!r} repeats a token; choose another word")
    with torch.no_grad():
        layer = model.model.layers[0]
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
        states = torch.nn.functional.normalize(torch.randn(len(tokenizer), recipe.hidden_size), dim=-1)
        model.model.embed_tokens.weight.copy_(states)
        model.lm_head.weight.zero_()
        for now, following in pairwise(said):
            model.lm_head.weight[following] = 20 * states[now]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
