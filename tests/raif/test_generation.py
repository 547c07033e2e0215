"""The local model: what it draws belongs to the request, whatever else is in its batch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.stats import chisquare

from raif.generation import Request, Sampling
from raif.generation.digest import model_digest
from raif.generation.drawing import draw, noise
from raif.generation.local import LocalModel
from raif.generation.opening import open_generator
from raif.generation.prompts import prompt_of, request_seed
from raif.generation.run import complete
from raif.generation.store import Store, bound_identity
from rewards.errors import RaifError
from tests import forked

SAMPLING = Sampling(cap=24, temperature=1.0, top_p=0.95, seed=3, batch_size=8)
PAUSE = 0.3  # seconds after each batch of a run that is killed


def requests(count: int, **fields: object) -> list[Request]:
    """Return requests of different lengths."""
    says = [{"role": "user", "content": "Say something kind. " * (number % 7 + 1)} for number in range(count)]
    return [Request(f"k{number}", [said], **fields) for number, said in enumerate(says)]  # type: ignore[arg-type]


def goes_on(begun: str, whole: str) -> bool:
    """Tell whether a text begins another, up to a character whose bytes a cap has divided."""
    return whole.startswith(begun.rstrip("\ufffd"))


@pytest.fixture(scope="module")
def model(policy: Path) -> LocalModel:
    return LocalModel(str(policy))


def test_a_completion_depends_on_its_request_alone(model: LocalModel) -> None:
    asked = requests(20)
    together = complete(model, asked, SAMPLING)
    assert len({completion.text for completion in together}) == 20
    assert complete(model, asked[::-1], SAMPLING._replace(batch_size=3))[::-1] == together
    assert [complete(model, [each], SAMPLING)[0] for each in asked] == together
    assert complete(model, asked, SAMPLING._replace(seed=4)) != together
    renamed = [each._replace(key=f"other {each.key}") for each in asked]
    assert complete(model, renamed, SAMPLING) != together
    greedy = SAMPLING._replace(temperature=0.0)
    assert complete(model, renamed, greedy) == complete(model, asked, greedy)


def test_continuous_batching_draws_the_same(policy: Path, model: LocalModel) -> None:
    continuous = LocalModel(str(policy), continuous=True)
    asked = [*requests(12), *[each._replace(key=f"stop {each.key}", stop=("e",)) for each in requests(3)]]
    asked[4] = asked[4]._replace(cap=5)
    for sampling in (SAMPLING._replace(batch_size=4), SAMPLING._replace(temperature=0.0)):
        assert complete(continuous, asked, sampling) == complete(model, asked, sampling)
    assert continuous.identity()["batching"] == "continuous"


def test_caps_are_kept_and_a_larger_one_goes_on(model: LocalModel) -> None:
    short = complete(model, requests(12), SAMPLING)
    long = complete(model, requests(12), SAMPLING._replace(cap=60))
    assert all(goes_on(before.text, after.text) for before, after in zip(short, long, strict=True))
    assert all(each.tokens == 24 or each.ended for each in short)
    mixed = [each._replace(cap=number + 1) for number, each in enumerate(requests(12))]
    drawn = complete(model, mixed, SAMPLING)
    assert all(each.tokens <= number + 1 for number, each in enumerate(drawn))
    assert all(goes_on(cut.text, whole.text) for whole, cut in zip(short, drawn, strict=True))
    assert all(each.tokens == 60 or each.ended for each in long)


def test_an_end_token_ends_and_counts(model: LocalModel) -> None:
    long = complete(model, requests(40), SAMPLING._replace(cap=400, temperature=1.3, top_p=1.0, batch_size=40))
    ended = [each for each in long if each.ended]
    assert ended  # a random model ends by chance: 40 * 400 tokens of 300 kinds
    assert all(each.tokens < 400 for each in ended)
    assert all(each.tokens == 400 for each in long if not each.ended)
    assert not any("<|im_end|>" in each.text for each in long)


def test_generation_ends_before_a_stop_text(model: LocalModel) -> None:
    free = complete(model, requests(20), SAMPLING)
    stops = ("e", "so", "</think>")
    stopped = complete(model, requests(20, stop=stops), SAMPLING)
    for whole, cut in zip(free, stopped, strict=True):
        first = min((whole.text.find(stop) for stop in stops if stop in whole.text), default=-1)
        if first < 0:
            assert cut == whole
            continue
        assert (cut.text, cut.ended) == (whole.text[:first], True)
        assert whole.text[first:].startswith(cut.stopped)
        assert cut.tokens <= whole.tokens
    assert {"e", "so"} <= {each.stopped for each in stopped}
    # a stop text that the prompt has begun is none: only the completion is looked at
    begun = complete(model, requests(20, prefix="it is s", stop=("so",)), SAMPLING)
    assert all("so" not in each.text for each in begun)
    assert all(each.stopped in ("", "so") and (each.ended or each.tokens == 24) for each in begun)


def test_a_prefix_is_continued_and_thinking_can_be_closed(model: LocalModel) -> None:
    asked = requests(4)
    whole = complete(model, asked, SAMPLING._replace(temperature=0.0))
    cut = complete(model, asked, SAMPLING._replace(temperature=0.0, cap=6))
    # the decoded text of random tokens is not tokenised back to the same ones, so the prefix is a text that is
    words = [each._replace(prefix="at most 3 words") for each in asked]
    ids = model.chat.ids([prompt_of(model.chat, words[0])])[0]
    with torch.inference_mode():
        expected = model.model(torch.tensor([ids])).logits[0, -1].argmax().item()
    first = complete(model, words[:1], SAMPLING._replace(temperature=0.0, cap=1))[0]
    assert first.text == model.tokenizer.decode([expected])
    assert all(goes_on(b.text, a.text) for a, b in zip(whole, cut, strict=True))
    direct = asked[0]._replace(think=False)
    assert prompt_of(model.chat, direct).endswith("<think></think>")
    assert complete(model, [direct], SAMPLING) != complete(model, asked[:1], SAMPLING)


def test_draws_follow_the_distribution_and_the_nucleus() -> None:
    scores = torch.log(torch.tensor([[0.4, 0.3, 0.2, 0.1]])).expand(40_000, 4)
    numbers = torch.from_numpy(noise(0, "a", 40_000))
    counts = np.bincount(draw(scores, numbers, 1.0, 1.0), minlength=4)
    assert chisquare(counts, [16_000, 12_000, 8_000, 4_000]).pvalue > 1e-3
    nucleus = np.bincount(draw(scores, numbers, 1.0, 0.65), minlength=4)
    assert nucleus[2:].sum() == 0
    assert chisquare(nucleus[:2], [40_000 * 4 / 7, 40_000 * 3 / 7]).pvalue > 1e-3
    hot = np.bincount(draw(scores, numbers, 0.5, 1.0), minlength=4)
    assert chisquare(hot, 40_000 * np.array([16, 9, 4, 1]) / 30).pvalue > 1e-3
    extremes = torch.tensor([0, 2**31 - 1], dtype=torch.int32)
    edge = torch.tensor([[-torch.inf, 0.0, -torch.inf], [-torch.inf, 0.0, -torch.inf]])
    assert draw(edge, extremes, 1.0, 1.0).tolist() == [1, 1]


def test_numbers_of_different_requests_are_independent() -> None:
    keys = [f"{item}|constrained|{sample}" for item in range(300) for sample in range(2)]
    assert len({request_seed(0, key) for key in keys}) == len(keys)
    table = np.stack([noise(0, key, 50) for key in keys]) / 2**31
    assert abs(table.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(table[::2].ravel(), table[1::2].ravel())[0, 1]) < 0.03


def test_the_models_own_sampling_defaults_are_not_used(model: LocalModel, policy: Path, tmp_path: Path) -> None:
    copy = _copy(policy, tmp_path / "copy")
    path = copy / "generation_config.json"
    defaults = {"do_sample": True, "temperature": 0.1, "top_k": 3, "repetition_penalty": 4.0, "min_new_tokens": 9}
    path.write_text(json.dumps({**json.loads(path.read_text()), **defaults}))
    assert complete(LocalModel(str(copy)), requests(8), SAMPLING) == complete(model, requests(8), SAMPLING)


def test_identity_tells_models_apart_and_not_folders(policy: Path, tmp_path: Path) -> None:
    copy = _copy(policy, tmp_path / "copy")
    first, second = LocalModel(str(policy)).identity(), LocalModel(str(copy)).identity()
    assert first["model"] != second["model"]
    assert bound_identity(first) == bound_identity(second)
    assert first["versions"]["torch"] == torch.__version__
    unused = LocalModel(str(copy))
    assert unused.identity() == second
    assert "model" not in vars(unused)  # the weights are loaded when something is drawn
    weights = load_file(copy / "model.safetensors")
    name = sorted(weights)[len(weights) // 2]
    weights[name].view(-1)[-1] += 1e-3
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    assert model_digest(copy) != first["digest"]


def test_wrong_settings_are_errors_at_once(policy: Path, model: LocalModel) -> None:
    with pytest.raises(RaifError, match=r"unknown backend 'tranformers'; did you mean 'transformers'"):
        open_generator("tranformers", str(policy))
    with pytest.raises(RaifError, match=r"backend transformers takes no base_url; it takes: dtype, device"):
        open_generator("transformers", str(policy), base_url="http://127.0.0.1:1/v1")
    with pytest.raises(RaifError, match=r"backend openai needs base_url"):
        open_generator("openai", "m")
    with pytest.raises(RaifError, match=r"unknown dtype 'float23'"):
        open_generator("transformers", str(policy), dtype="float23")
    with pytest.raises(RaifError, match="no model folder"):
        open_generator("transformers", "./missing")
    with pytest.raises(RaifError, match=r"1 request keys occur twice: k0"):
        complete(model, [*requests(2), *requests(1)], SAMPLING)
    with pytest.raises(RaifError, match=r"no room to draw a token \(first: k0\)"):
        complete(model, requests(2, cap=0), SAMPLING)
    assert complete(open_generator("transformers", str(policy), tokenizer=None), [], SAMPLING) == []


def test_a_killed_run_goes_on_to_the_same_bytes(policy: Path, model: LocalModel, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    output = tmp_path / "said"
    command = ["tests.raif.test_generation", policy, folder, 60]
    worker = forked.start("tests.raif.generation_worker", command, output, errors=tmp_path / "errors")
    forked.counted(worker, output, 16)
    forked.killed(worker)
    journal = folder / "journal.jsonl"
    held = len(journal.read_text().split("\n")) - 1
    assert held in (2, 3)  # batches of 8; each is kept whole
    assert not (folder / "completions.jsonl").exists()
    with journal.open("ab") as file:
        file.write(journal.read_bytes()[:57])  # what a kill in the middle of a write leaves
    drawn = []
    again = complete(model, requests(60), SAMPLING, Store(folder), lambda done, tokens: drawn.append(done))
    assert drawn[0] == 8 * held
    fresh = complete(model, requests(60), SAMPLING, Store(tmp_path / "fresh"))
    assert again == fresh
    assert (folder / "completions.jsonl").read_bytes() == (tmp_path / "fresh" / "completions.jsonl").read_bytes()
    assert not journal.exists()
    assert len(Store(folder)._kept) == 60


def _copy(policy: Path, to: Path) -> Path:
    to.mkdir()
    for path in policy.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to
