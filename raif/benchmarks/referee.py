"""A judge for whole conversations: it is asked through a generator, and its replies are kept like completions.

So a run that was killed goes on where it stopped, no reply is paid for twice, and a judge may be anything that
completions can be drawn from: a server, or a local model.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import yaml

from raif.benchmarks.judging import Call
from raif.generation import Generator, Request, Sampling
from raif.generation.run import complete
from raif.generation.store import Kept, Store, bound_identity
from raif.model_paths import check_model_path
from rewards.errors import RaifError, ServerLost
from rewards.judge import JudgeConfig, parse_judge

LOG = logging.getLogger("raif.benchmarks")
Progress = Callable[[int, int], None]
Bar = Callable[[str, int], AbstractContextManager[Progress]]  # of a name and a total
_FORM = "give model: and base_url:"
_TEXT_ONLY = "replies are read as text, without probabilities"
_NOT_CUT = "prompts are sent whole, and one that is too long its server refuses"
#: Settings for single yes/no replies that change nothing here, and why.
_NO_EFFECT = {
    "mode": _TEXT_ONLY,
    "threshold": _TEXT_ONLY,
    "abstain": _TEXT_ONLY,
    "top_logprobs": _TEXT_ONLY,
    "deadline": "a run waits for every reply; timeout limits a single request",
    "max_prompt_tokens": _NOT_CUT,
    "tokenizer": _NOT_CUT,
    "cache": "replies are kept in the folder of the run",
}


class Referee:
    """The judge of a benchmark run.

    Args:
        config: the same settings as a recipe's judge. Those of single yes/no replies play no part (`read_judge` refuses
            them); `max_tokens` holds where it is set, else the benchmark's own room.
        generator: opened for this judge; by default the one that the settings describe.
    """

    def __init__(self, config: JudgeConfig, generator: Generator | None = None) -> None:
        self.config = config
        self.generator = generator or open_judge(config)

    @property
    def name(self) -> str:
        return self.config.model

    def identity(self) -> dict[str, Any]:
        """Return what verdicts are bound to."""
        return {**bound_identity(self.generator.identity()), "sampling": self._sampling(1)._asdict()}

    def answer(
        self,
        asked: Sequence[tuple[str, Call]],
        folder: Path,
        room: int,
        progress: Progress | None = None,
        temperature: float | None = None,
    ) -> tuple[list[str], int]:
        """Return one reply a call, in order, and the tokens of all; `folder` keeps them.

        One that is empty is not kept: a server that could not serve it may have been mended when a run goes on. What
        the cap cut off is kept, for it was paid for, and more room asks anew.

        Args:
            asked: the key of the answer, and the call.
            room: tokens of a reply.
            temperature: in place of the judge's own, with another seed.
        """
        sampling = self._sampling(room)
        if temperature is not None:
            sampling = sampling._replace(temperature=temperature, seed=sampling.seed + 1)
        requests = [Request(f"{key}|{call.name}", call.messages) for key, call in asked]
        with _judges_key():
            done = complete(self.generator, requests, sampling, _Replies(folder), progress)
        # What the cap cut off is no reply: a verdict, or a passage that a rule measures, may be half of one.
        replies = [completion.text if completion.ended else "" for completion in done]
        return replies, sum(completion.tokens for completion in done)

    def probe(self) -> None:
        """Ask for a word, to learn before hours of drawing whether the judge can be asked; nothing is kept.

        Raises:
            RaifError: if it cannot.
        """
        asked = Request("probe", [{"role": "user", "content": "Say YES."}])
        try:
            with _judges_key():
                complete(self.generator, [asked], self._sampling(4)._replace(cap=4))
        except RaifError as error:
            raise RaifError(f"the judge does not answer: {error}") from error

    def close(self) -> None:
        """Give back what the judge's generator holds."""
        self.generator.close()

    def _sampling(self, room: int) -> Sampling:
        config = self.config
        cap = config.max_tokens if "max_tokens" in config.model_fields_set and config.max_tokens else room
        return Sampling(cap, config.temperature or 0.0, 1.0, config.seed or 0, config.concurrency)


class _Replies(Store):
    """Keeps replies that say something. A batch is kept whole: what is drawn again hangs on who is drawn with it."""

    def put(self, arrived: Sequence[Kept]) -> None:
        if kept := [each for each in arrived if len(arrived) > 1 or each.completion.text.strip()]:
            super().put(kept)


@contextmanager
def _judges_key() -> Iterator[None]:
    """Say where a judge's key comes from if its server refuses it: the option of the command is the policy's."""
    try:
        yield
    except ServerLost as error:
        if not any(f"HTTP {code}" in str(error) for code in (401, 403)):
            raise
        raise ServerLost(
            f"{error} The key of a judge is that of api_key_env: NAME_OF_A_VARIABLE in a .yaml file of judge settings; "
            "--api-key-env is for the model that is evaluated.",
            error.address,
        ) from error


def open_judge(config: JudgeConfig) -> Generator:
    """Open the generator that a judge's settings describe.

    Raises:
        RaifError: if there is no such model here, or its server is not set up.
    """
    from raif.generation.opening import open_generator
    from raif.generation.served import Limits

    if config.base_url is None:
        _check_model(config.model)
    limits = Limits(config.concurrency, config.timeout, config.retries, config.backoff)
    try:
        if config.base_url is None:
            return open_generator("transformers", config.model)
        return open_generator(
            "openai", config.model, base_url=config.base_url, api_key_env=config.api_key_env,
            limits=limits, extra_body=config.extra_body or None, silent=True,
        )  # fmt: skip
    except RaifError as error:
        raise RaifError(f"the judge: {error}") from error


def _check_model(model: str) -> None:
    try:
        check_model_path(model)
    except RaifError as error:
        if Path(model).is_dir():
            raise RaifError(f"the judge: {error}") from error
        raise RaifError(
            f"the judge: no model folder at {model!r}; give the folder or hub name of a model, MODEL@ADDRESS of a "
            "server, or a .yaml file of judge settings."
        ) from error


def read_judge(spec: str) -> JudgeConfig:
    """Return the judge that `--judge` names: MODEL, MODEL@ADDRESS, or a YAML file of a recipe's judge settings.

    Raises:
        RaifError: naming what is wrong, such as a setting that changes nothing here.

    Example:
        >>> read_judge("qwen@http://127.0.0.1:8000/v1").base_url
        'http://127.0.0.1:8000/v1'
    """
    if spec.endswith((".yaml", ".yml", ".json")):
        return _read_file(Path(spec))
    if Path(spec).is_file():
        raise RaifError(f"the judge: {spec} is a file, and no .yaml; write judge settings to one: {_FORM}.")
    model, at, address = spec.partition("@")
    return parse_judge({"model": model, **({"base_url": address} if at else {})})


def _read_file(path: Path) -> JudgeConfig:
    if not path.is_file():
        raise RaifError(f"no judge settings at {path}; give a YAML file with model and base_url, or MODEL@ADDRESS.")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise RaifError(f"{path} is no YAML that can be read: {error}.") from error
    if isinstance(settings, dict) and {"judge"} <= settings.keys() <= {"judge", "type"}:
        settings = settings["judge"]  # as in a recipe
    if not isinstance(settings, dict) or not settings:
        found = f"a {type(settings).__name__}" if settings else "nothing"
        raise RaifError(f"{path} holds {found}, and no judge settings; {_FORM}.")
    try:
        config = parse_judge(settings)
    except RaifError as error:
        raise RaifError(f"{path}: {error}") from error
    _refuse_idle(config, path)
    return config


def _refuse_idle(config: JudgeConfig, path: Path) -> None:
    """Refuse settings that someone wrote down and that change nothing."""
    given = {name for name in config.model_fields_set & _NO_EFFECT.keys() if getattr(config, name) is not None}
    if config.mode in ("auto", "text"):
        given.discard("mode")
    if given:
        told = "; ".join(f"{name} ({why})" for name, why in _NO_EFFECT.items() if name in given)
        raise RaifError(f"{path} sets what has no effect on a benchmark's judge: {told}. Remove it.")


def prompt_texts(folder: Path) -> dict[str, str]:
    """Return the prompt texts of a folder by their names without suffix."""
    found = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}
    if not found:
        raise RaifError(f"no prompt texts (*.txt) in {folder}; name the folder that holds them, or leave it out.")
    return found
