"""Options of commands as frozen dataclasses: declared once, shared by the commands that take them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import MISSING, dataclass, fields, is_dataclass
from inspect import Parameter, Signature, get_annotations, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_origin, get_type_hints

from typer import Option

from raif.commands.outcome import quiet_loading

if TYPE_CHECKING:
    from raif.generation import Generator, Sampling


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How completions are drawn."""

    panel: ClassVar[str] = "Drawing completions"

    model: Annotated[str | None, Option(help="Model folder, hub name, or the model's name on the server.")] = None
    cap: Annotated[int | None, Option(min=1, help="Maximum completion tokens.")] = None
    backend: Annotated[str, Option(help="transformers, vllm or openai.")] = "transformers"
    base_url: Annotated[str | None, Option(help="OpenAI-compatible server, for backend openai.")] = None
    api_key_env: Annotated[str | None, Option(help="Environment variable that holds the server's key.")] = None
    tokenizer: Annotated[str | None, Option(help="Render prompts for the server with this tokenizer.")] = None
    samples: Annotated[int, Option(min=1, help="Completions per item and arm.")] = 1
    temperature: Annotated[float | None, Option(min=0, help="0 is greedy; by default 1.")] = None
    top_p: Annotated[float | None, Option(min=0, max=1, help="Nucleus; by default 1, MathIF's is 0.95.")] = None
    seed: Annotated[int, Option(help="Sampling seed.")] = 0
    batch_size: Annotated[int, Option(min=1, help="Prompts at once, or requests under way.")] = 64
    system_prompt: Annotated[str | None, Option(help="System message of every prompt.")] = None

    def sampling(self, temperature: float = 1.0, top_p: float = 1.0) -> Sampling:
        """Return how tokens are sampled, with the defaults of a benchmark.

        Raises:
            RaifError: where the settings draw nothing.
        """
        from raif.generation import Sampling
        from raif.generation.run import check_sampling

        sampling = Sampling(
            self.cap or 1,
            temperature if self.temperature is None else self.temperature,
            top_p if self.top_p is None else self.top_p,
            self.seed,
            self.batch_size,
        )
        check_sampling(sampling)
        return sampling

    def open(self) -> Generator:
        """Open the generator that is asked for; the command has a progress bar of its own."""
        return self._open()

    def _open(self, **more: Any) -> Generator:
        from raif.generation.opening import open_generator
        from raif.generation.served import Limits

        if self.backend == "openai":
            more["limits"] = Limits(concurrency=self.batch_size)
        generator = open_generator(
            self.backend, str(self.model), base_url=self.base_url, api_key_env=self.api_key_env,
            tokenizer=self.tokenizer, **more,
        )  # fmt: skip
        quiet_loading(self.backend)
        return generator


@dataclass(frozen=True, kw_only=True)
class BatchedDrawing(Drawing):
    """How completions are drawn where each is one go."""

    panel: ClassVar[str] = Drawing.panel

    continuous: Annotated[bool, Option("--continuous", help="Continuous batching (transformers, GPU).")] = False

    def open(self) -> Generator:
        """Open the generator that is asked for; the command has a progress bar of its own."""
        return self._open(continuous=True) if self.continuous else self._open()


@dataclass(frozen=True, kw_only=True)
class GreedyDrawing(BatchedDrawing):
    """How completions are drawn where the default is greedy, as in the table of RAIF (arXiv 2506.01413, A.5.3)."""

    temperature: Annotated[float | None, Option(min=0, help="By default 0, greedy.")] = None
    top_p: Annotated[float | None, Option(min=0, max=1, help="Nucleus; by default 1.")] = None

    def sampling(self, temperature: float = 0.0, top_p: float = 1.0) -> Sampling:
        """Return how tokens are sampled."""
        return super().sampling(temperature, top_p)


@dataclass(frozen=True, kw_only=True)
class Judging:
    """Who judges, and how it is asked."""

    panel: ClassVar[str] = "Judge"

    judge: Annotated[str | None, Option(help="MODEL@ADDRESS, a local model, or a YAML file of judge settings.")] = None
    judge_mode: Annotated[
        str | None, Option(help="benchmark (asks as it does) or question (one by one, our prompt).")
    ] = None
    judge_prompts: Annotated[Path | None, Option(help="Folder of the benchmark's own prompt texts (*.txt).")] = None
    official: Annotated[bool, Option("--official", help="Ask as the published code does; its figures first.")] = False
    consistency: Annotated[int | None, Option(min=0, help="Judge N answers a second time.")] = None


def given(ask: Any, of: type | None = None, but: Collection[str] = ()) -> list[str]:
    """Return the options that are not at their defaults, as a user writes them.

    Args:
        of: only the options of this group.
        but: names of fields to leave out.

    Example:
        >>> given(BatchedDrawing(cap=8, continuous=True), but=["cap"])
        ['--continuous']
    """
    options = _options(of or type(ask))
    changed = [name for name, option in options.items() if getattr(ask, name) != option.default]
    return [_written(options[name]) for name in changed if name not in but]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with every parameter that is a dataclass replaced by the options of it.

    Fields with a `typer.Option` are options, the others keep their defaults. `panel` of the class that declares a
    field first is the panel of the help page in which it stands.

    Example:
        >>> def draw(name: str, drawing: Drawing) -> None: ...
        >>> list(signature(grouped(draw)).parameters)[:4]
        ['name', 'model', 'cap', 'backend']
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    flat: list[Parameter] = []
    for name, parameter in signature(command).parameters.items():
        flat += _options(groups[name]).values() if name in groups else [parameter.replace(annotation=hints[name])]

    def call(**values: Any) -> None:
        filled = {name: group(**{key: values.pop(key) for key in _options(group)}) for name, group in groups.items()}
        command(**values, **filled)

    call.__name__, call.__doc__ = command.__name__, command.__doc__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
    call.__signature__ = Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in flat]
    )
    return call


# ---- parts --------------------------------------------------------------------------------------------------------


def _options(group: Any) -> dict[str, Parameter]:
    """Return the options of a group as parameters, by the names of the fields."""
    hints = get_type_hints(group, include_extras=True)
    options = [field for field in fields(group) if get_origin(hints[field.name]) is Annotated]
    for field in options:
        first = [each for each in group.__mro__ if field.name in get_annotations(each)][-1]
        hints[field.name].__metadata__[0].rich_help_panel = vars(first).get("panel")
    return {
        field.name: Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in options
    }


def _written(option: Parameter) -> str:
    """Return how a user writes an option: the name that it was given, or that of its field."""
    info = option.annotation.__metadata__[0]  # typer takes the first name for a default until it reads the command
    names = [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]
    return names[0] if names else f"--{option.name.replace('_', '-')}"
