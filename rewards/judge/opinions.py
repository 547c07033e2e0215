"""What a judge is asked, how it is set up, and what it answers."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rewards.errors import RaifError, unknown_name
from rewards.judge.addresses import plain_address, variable_name

Mode = Literal["auto", "probabilities", "text", "decision"]
Status = Literal["answered", "abstained", "unparsed", "refused", "failed"]
_OURS = frozenset({"model", "messages", "state", "questions", "stream", "logprobs", "top_logprobs"})


class Question(BaseModel):
    """A yes/no question about the answer to a request; `language` chooses the prompt (zh..., else English)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=1)
    request: str
    answer: str
    language: str = "en"


class Opinion(NamedTuple):
    """A judge's answer. `yes` is None when there is none, and then `status` and `reason` say why.

    `probability` is that of yes among yes and no; None where the judge only gave a word. `status` is `answered`,
    `abstained` (too close to the threshold), `unparsed` (the reply is neither yes nor no), `refused` (the prompt is
    too long to be judged whole) or `failed` (no usable reply).
    """

    yes: bool | None
    probability: float | None = None
    reason: str = ""
    status: Status = "answered"


class Reading(NamedTuple):
    """What a reply says, before any threshold: the probability of yes, or else the word; `said` shows the reply."""

    probability: float | None
    yes: bool | None
    said: str = ""


class Reply(NamedTuple):
    """The outcome of asking once: a reading, or the status and the reason why there is none.

    `transient`: asking again may help. `retries`: how many times it was asked again.
    """

    reading: Reading | None
    status: Status = "answered"
    problem: str = ""
    transient: bool = False
    retries: int = 0


class JudgeConfig(BaseModel):
    """Settings of a judge.

    Fields:
        model: the name the server knows it by, or the path of a local model.
        base_url: of an OpenAI-compatible server, with its `/v1`; None for a local model.
        api_key_env: name of the environment variable that holds the key. The key itself is never stored.
        mode: `probabilities` compares the first token's yes and no; `text` reads the first word; `auto` takes the
            former where the server gives it and the latter otherwise; `decision` asks for a typed decision.
        concurrency: requests in flight during one call.
        timeout: seconds for one request. deadline: seconds for one call of `ask`; what is late has no opinion.
        retries, backoff: further attempts after a transient failure, and seconds before the first, doubling.
        max_prompt_tokens: longer prompts are refused, never cut.
        tokenizer: path or name of the judge's own tokenizer, which counts them; without it a byte counts as a token.
        threshold, abstain: yes above the threshold, no below it, no opinion nearer to it than `abstain`.
        cache: folder that remembers replies, by the model's name and not by its address; None for none.
        temperature, seed, max_tokens, top_logprobs, extra_body: sent as they are; None is not sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, protected_namespaces=())

    model: str = Field(min_length=1)
    base_url: str | None = None
    api_key_env: str | None = None
    mode: Mode = "auto"
    concurrency: int = Field(default=16, ge=1)
    timeout: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    deadline: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    retries: int = Field(default=1, ge=0, le=10)
    backoff: float = Field(default=0.5, ge=0, allow_inf_nan=False)
    max_prompt_tokens: int | None = Field(default=None, ge=1)
    tokenizer: str | None = None
    threshold: float = Field(default=0.5, ge=0, le=1)
    abstain: float = Field(default=0.0, ge=0, le=0.5)
    cache: str | None = None
    temperature: float | None = Field(default=0.0, ge=0)
    seed: int | None = 0
    max_tokens: int | None = Field(default=8, ge=1)
    top_logprobs: int = Field(default=20, ge=2)
    extra_body: dict[str, Any] = {}

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        return value if value is None else plain_address(value)

    @field_validator("api_key_env")
    @classmethod
    def _variable_name(cls, value: str | None) -> str | None:
        return value if value is None else variable_name(value, "JUDGE_API_KEY")

    @field_validator("extra_body")
    @classmethod
    def _not_ours(cls, value: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_OURS & value.keys()):
            raise ValueError(f"{', '.join(taken)} cannot be set here")
        return value

    @model_validator(mode="after")
    def _counted_for_a_reason(self) -> JudgeConfig:
        if self.tokenizer and self.max_prompt_tokens is None:
            raise ValueError("tokenizer only counts the tokens of prompts; set max_prompt_tokens as well")
        return self

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


def parse_judge(settings: Any) -> JudgeConfig:
    """Parse the judge of a recipe.

    Raises:
        RaifError: naming each setting that is unknown or wrong; values are not shown, since one may be a key.

    Example:
        >>> parse_judge({"model": "qwen", "base_url": "http://127.0.0.1:8000/v1/"}).base_url
        'http://127.0.0.1:8000/v1'
    """
    if isinstance(settings, dict):
        for name in (name for name in settings if name not in JudgeConfig.model_fields):
            raise unknown_name("judge setting", name, JudgeConfig.model_fields, "Correct or remove it.")
    try:
        return JudgeConfig.model_validate(settings)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in found)
        raise RaifError(f"the judge is not set up: {problems}. See rewards.judge.JudgeConfig.") from None


def weigh(reading: Reading, threshold: float = 0.5, abstain: float = 0.0) -> Opinion:
    """Turn a reading into an opinion; a probability at the threshold is no, as in RAIF (strictly more likely than no).

    Example:
        >>> weigh(Reading(0.93, None)).yes, weigh(Reading(0.55, None), abstain=0.1).yes, weigh(Reading(None, False)).yes
        (True, None, False)
    """
    probability = reading.probability
    if probability is None:
        return Opinion(reading.yes, None, f"the judge says {reading.said!r}")
    if abs(probability - threshold) < abstain:
        near = f"probability of yes {probability:.3f} is within {abstain:g} of {threshold:g}"
        return Opinion(None, probability, near, "abstained")
    yes = probability > threshold
    return Opinion(yes, probability, f"the judge says {'yes' if yes else 'no'}: probability of yes {probability:.3f}")
