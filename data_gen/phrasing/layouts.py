"""Where the demands stand in a prompt: in the text, in a list, in a brief, before the task, in turns of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Literal, NamedTuple, get_args

from data_gen.phrasing import openings
from data_gen.phrasing.outline import Outline
from data_gen.phrasing.prose import Prose
from data_gen.phrasing.tree import Spoken
from rewards.instruction import Message, Prompt

Layout = Literal["inline", "paragraph", "list", "numbered", "brief", "before", "turns", "system"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)


class Task(NamedTuple):
    """What a prompt is made of: the task with its answer format, and the tree of demands."""

    text: str
    tree: Spoken


class Writer:
    """Lays out one prompt."""

    def __init__(self, prose: Prose, rng: Random) -> None:
        self.prose, self.rng, self.language = prose, rng, prose.language

    def write(self, task: Task, layout: Layout) -> Prompt:
        """Return the prompt in a layout."""
        if layout in ("list", "numbered") and task.tree.is_single:
            layout = "paragraph"
        elif layout in _PROSE and task.tree.is_knotted:
            layout = "list"  # branches inside branches are lost on the reader of a sentence
        return _WRITERS[layout](self, task)

    def inline(self, task: Task) -> str:
        """The demands follow the task in the same paragraph."""
        space = "" if self.language == "zh" else " "
        return f"{task.text}{space}{self.prose.paragraph(task.tree)}"

    def paragraph(self, task: Task) -> str:
        """The demands stand in a paragraph of their own, often with an opening."""
        opening = self._pick(openings.PARAGRAPH_ONE if task.tree.is_single else openings.PARAGRAPH)
        return f"{task.text}\n\n{opening}{self.prose.paragraph(task.tree)}"

    def list(self, task: Task) -> str:
        """The demands stand in a list under a heading line."""
        return f"{task.text}\n\n{self._pick(openings.LIST)}\n{self._outline(task, self.rng.choice('-*-•'))}"

    def numbered(self, task: Task) -> str:
        """The demands stand in a numbered list."""
        return f"{task.text}\n\n{self._pick(openings.LIST)}\n{self._outline(task, '1.')}"

    def brief(self, task: Task) -> str:
        """Task and demands stand under markdown headings of their own."""
        mark, (first, second) = self.rng.choice(("#", "##", "###", "**")), self._pair(openings.BRIEF)
        heads = (f"**{first}**", f"**{second}**") if mark == "**" else (f"{mark} {first}", f"{mark} {second}")
        return f"{heads[0]}\n{task.text}\n\n{heads[1]}\n{self._outline(task, self.rng.choice(('-', '1.')))}"

    def before(self, task: Task) -> str:
        """The demands come first, then the task."""
        one = task.tree.is_single
        opening, asking = self._pair(openings.BEFORE_ONE if one else openings.BEFORE)
        if task.tree.is_knotted or (not one and self.rng.random() < 0.5):
            return f"{opening}\n{self._outline(task, '-')}\n\n{asking}{task.text}"
        space = "" if self.language == "zh" else " "
        return f"{opening}{space}{self.prose.paragraph(task.tree)}\n\n{asking}{task.text}"

    def system(self, task: Task) -> tuple[Message, ...]:
        """The demands stand in a system message."""
        one = task.tree.is_single
        in_prose = one or (not task.tree.is_knotted and self.rng.random() < 0.5)
        said = self.prose.paragraph(task.tree) if in_prose else "\n" + self._outline(task, "-")
        opening = self._pick(openings.SYSTEM_ONE if one else openings.SYSTEM)
        space = "" if said.startswith("\n") or self.language == "zh" else " "
        return (
            Message(role="system", content=f"{opening}{space}{said}"),
            Message(role="user", content=task.text),
        )

    def turns(self, task: Task) -> tuple[Message, ...]:
        """The task comes first, then one demand a turn, each acknowledged by the assistant."""
        parts = task.tree.children if task.tree.kind == "and" else (task.tree,)
        opening, closing = self._pair(openings.TURNS_ONE if task.tree.is_single else openings.TURNS)
        messages = [Message(role="user", content=f"{task.text}\n\n{opening}")]
        for number, part in enumerate(parts, 1):
            messages.append(Message(role="assistant", content=self._pick(openings.ACKNOWLEDGED)))
            said = self.prose.sentence(part)
            said = f"{said}{'' if self.language == 'zh' else ' '}{closing}" if number == len(parts) else said
            messages.append(Message(role="user", content=said))
        return tuple(messages)

    def _outline(self, task: Task, mark: str) -> str:
        if task.tree.is_single:
            return self.prose.paragraph(task.tree)
        return "\n".join(Outline(self.prose, mark, self.rng).lines(task.tree))

    def _pick(self, options: Mapping[str, tuple[str, ...]]) -> str:
        return self.rng.choice(options[self.language])

    def _pair(self, options: Mapping[str, tuple[tuple[str, str], ...]]) -> tuple[str, str]:
        return self.rng.choice(options[self.language])


_PROSE: tuple[Layout, ...] = ("inline", "paragraph", "turns")
_WRITERS: dict[Layout, Callable[[Writer, Task], Prompt]] = {
    "inline": Writer.inline,
    "paragraph": Writer.paragraph,
    "list": Writer.list,
    "numbered": Writer.numbered,
    "brief": Writer.brief,
    "before": Writer.before,
    "turns": Writer.turns,
    "system": Writer.system,
}
