"""data_card.html: what a data set holds, in one file that opens from disk without a network."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.ticker import FuncFormatter, MaxNLocator

from data_gen.quality.card import contamination_statement
from data_gen.quality.files import instruction_files, raw_rows
from data_gen.statistics import Histogram, Statistics, statistics
from raif.json_files import write_whole
from raif.report.charts import _RC, AFTER, MUTED, WIDTH, _figure, _svg
from rewards.conditions import AnswerCondition, Condition, RequestCondition
from rewards.constraint import Constraint
from rewards.errors import RaifError
from rewards.instruction import Instruction, parse_line
from rewards.judgement import LeafVerdict
from rewards.response import Response
from rewards.tree import And, Chain, Leaf, Node, Selection

Record = dict[str, Any]
EXAMPLES = 20
_LISTED = 24  # rows of a table that are seen before its details are opened
_NODES = {"leaf": "constraints", "and": "And", "chain": "Chain", "selection": "Selection"}
_RELATIONS = {"equals": "is {}", "above": "is above {}", "below": "is below {}"}


def write_data_card(folder: str | Path, out: str | Path | None = None) -> Path:
    """Write `data_card.html` for a data set and return its path.

    Args:
        folder: a data set made by data_gen.
        out: the page, or a folder for it; the data set's own folder by default.

    Raises:
        RaifError: if there are no instructions, or a row is none.
    """
    source = Path(folder)
    if not source.exists():
        raise RaifError(f"no data set at {source}; make it with `python -m data_gen --config ... --out {source}`.")
    target = Path(out) if out is not None else source if source.is_dir() else source.parent
    page = target if target.suffix == ".html" else target / "data_card.html"
    found = statistics(source)
    context = {
        "name": source.resolve().name,
        "lede": _lede(found),
        "facts": _facts(found),
        "splits": _splits(found),
        "charts": list(_charts(found)),
        "lengths": list(_length_charts(found)),
        "found": found,
        "families": _bars(found.families),
        "types": _bars(found.types),
        "listed": _LISTED,
        "arguments": [_argument(name, histogram) for name, histogram in found.arguments.items()],
        "conditions": _bars(found.conditions),
        "openings": _bars(found.wording.frequent, found.rows),
        "rejected": _rejected(found),
        "contamination": contamination_statement(found.manifest).replace("`", ""),
        "examples": [_example(task) for task in _sample(source, EXAMPLES)],
    }
    return write_whole(page, _render(context))


def _render(context: Mapping[str, Any]) -> str:
    """Fill the template; its content policy lets no script run and nothing load."""
    loader = PackageLoader("raif.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = _breakable
    style = Markup(loader.get_source(environment, "style.css")[0])
    return environment.get_template("data_card.html.j2").render(**context, style=style) + "\n"


def _breakable(name: str) -> Markup:
    """Return a name that may be broken after its parts, on narrow screens."""
    return Markup(escape(name).replace(":", Markup(":<wbr>")).replace("_", Markup("_<wbr>")))


# ---- head -------------------------------------------------------------------------------------------------------


def _lede(found: Statistics) -> str:
    leaves = found.soft_leaves + found.rule_leaves
    soft = f" {100 * found.soft_leaves / leaves:.0f} % of the constraints are soft." if found.soft_leaves else ""
    return (
        f"{found.rows:,} instructions with {leaves / found.rows:.1f} constraints each on average. "
        f"{100 * found.nested:.0f} % of the trees are nested; "
        f"{found.strict_types - len(found.missing_types)} of {found.strict_types} strict constraint types occur.{soft}"
    )


def _facts(found: Statistics) -> list[tuple[str, str]]:
    """Return what one needs to know to make the data again; what is not recorded is left out."""
    manifest = found.manifest
    rejected = sum(sum(reasons.values()) for reasons in found.rejected.values())
    licences = {licence for each in found.licences.values() for licence in each}
    facts = {
        "Seed": str(manifest.get("seed", "")),
        "Recipe": str(manifest.get("config_sha256", ""))[:12],
        "Seed sets": ", ".join(found.seed_sets),
        "Licences": ", ".join(sorted(licences)),
        "Difficulty": ", ".join(f"{name} {count:,}" for name, count in found.difficulties.items()),
        "Prompts": ", ".join(f"{name} {count:,}" for name, count in found.prompts.items()),
        "Answers": ", ".join(f"{name} {count:,}" for name, count in found.answers.items()),
        "Rejected candidates": f"{rejected:,}" if rejected else "",
        "Versions": ", ".join(f"{name} {version}" for name, version in (manifest.get("versions") or {}).items()),
    }
    return [(label, value) for label, value in facts.items() if value and value != f"not given {found.rows:,}"]


def _splits(found: Statistics) -> Record:
    languages = list(found.languages)
    rows = [
        (split, count, [found.split_languages[split].get(code, 0) for code in languages])
        for split, count in found.splits.items()
    ]
    return {"languages": languages, "rows": rows, "totals": [found.languages[code] for code in languages]}


# ---- charts -----------------------------------------------------------------------------------------------------


def _charts(found: Statistics) -> Iterator[Record]:
    yield _columns("Constraints of an instruction", *_numbered(found.leaves), "constraints")
    yield _columns("Depth of the tree", *_numbered(found.depths), "levels; 1 is a flat list, deeper ones are nested")
    yield _rows("Nodes of the trees", {_NODES[kind]: count for kind, count in found.nodes.items()})
    yield _rows("Seed sets", found.seed_sets)
    for title, counts in (("Topics", found.topics), ("Layouts", found.layouts), ("Prompts", found.prompts)):
        if len(counts) > 1:
            yield _rows(title, counts)
    if len(found.difficulties) > 1:
        yield _rows("Difficulty", found.difficulties)


def _length_charts(found: Statistics) -> Iterator[Record]:
    for name, histogram in found.lengths.items():
        note = f"{histogram.low:,.0f} to {histogram.high:,.0f}, {histogram.mean:,.0f} on average."
        yield _columns(f"Words of the {name}", *_trimmed(histogram), "words, from", note)


def _numbered(counts: Mapping[int, int]) -> tuple[list[str], list[int]]:
    """Return counts by number with the gaps filled, in order."""
    numbers = range(min(counts), max(counts) + 1)
    return [str(number) for number in numbers], [counts.get(number, 0) for number in numbers]


def _rows(title: str, counts: Mapping[str, int], limit: int = 10) -> Record:
    """Draw one horizontal bar for each count, with its number and share."""
    shown = dict(list(counts.items())[:limit])
    if rest := sum(counts.values()) - sum(shown.values()):
        shown[f"{len(counts) - limit} others"] = rest
    whole = sum(counts.values())
    spoken = "; ".join(f"{label} {count}" for label, count in shown.items())
    with rc_context({**_RC, "svg.hashsalt": title, "axes.grid": False}):
        figure, axes = _figure(WIDTH, 26 + 22 * len(shown))
        axes.barh(range(len(shown)), list(shown.values()), color=AFTER, height=0.62)
        for place, count in enumerate(shown.values()):
            text = f"{count:,} ({100 * count / whole:.0f} %)"
            axes.annotate(text, (count, place), (5, 0), textcoords="offset points", va="center", color=MUTED)
        axes.set_yticks(range(len(shown)), [_short(label) for label in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(0, 1.42 * max(shown.values()))
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        return {"title": title, "svg": _svg(figure, f"{title}: {spoken}."), "note": ""}


def _columns(title: str, labels: Sequence[str], counts: Sequence[int], unit: str, note: str = "") -> Record:
    """Draw one column for each count; labels that do not fit are left out."""
    spoken = "; ".join(f"{label}: {count}" for label, count in zip(labels, counts, strict=True))
    with rc_context({**_RC, "svg.hashsalt": title}):
        figure, axes = _figure(WIDTH, 178)
        axes.bar(range(len(counts)), counts, color=AFTER, width=0.86)
        step = -(-len(labels) // 9)
        axes.set_xticks(range(0, len(labels), step), labels[::step])
        axes.set_xlim(-0.5 - max(0, 5 - len(counts)) / 2, len(counts) - 0.5 + max(0, 5 - len(counts)) / 2)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.grid(axis="x", visible=False)
        axes.set_xlabel(unit)
        return {"title": title, "svg": _svg(figure, f"{title}, {unit}: {spoken}."), "note": note}


def _trimmed(histogram: Histogram) -> tuple[list[str], list[int]]:
    """Return the bins from the first to the last one that holds anything, by their lower edges."""
    full = [index for index, count in enumerate(histogram.counts) if count]
    kept = range(full[0], full[-1] + 1) if full else range(0)
    return [str(histogram.edges[index]) for index in kept], [histogram.counts[index] for index in kept]


def _short(label: str) -> str:
    return label if len(label) <= 22 else f"{label[:21]}…"


# ---- tables -----------------------------------------------------------------------------------------------------


def _bars(counts: Mapping[str, int], total: int | None = None) -> list[Record]:
    """Return the rows of a table with bars; the widest bar is the largest count."""
    whole, most = total or sum(counts.values()) or 1, max(counts.values(), default=1)
    return [
        {"name": name, "count": count, "share": 100 * count / whole, "width": 100 * count / most}
        for name, count in counts.items()
    ]


def _argument(name: str, histogram: Histogram) -> Record:
    labels, counts = _trimmed(histogram)
    most = max(counts, default=1)
    bars = [(index * 9, 24 - max(1.5, 24 * count / most) if count else 24) for index, count in enumerate(counts)]
    spoken = ", ".join(f"from {label}: {count}" for label, count in zip(labels, counts, strict=True))
    return {
        "name": name,
        "n": histogram.total,
        "low": f"{histogram.low:g}",
        "high": f"{histogram.high:g}",
        "mean": f"{histogram.mean:.1f}",
        "bars": bars,
        "width": max(9, 9 * len(counts)),
        "spoken": spoken,
    }


def _rejected(found: Statistics) -> list[Record]:
    totals: dict[str, int] = {}
    for reasons in found.rejected.values():
        for reason, count in reasons.items():
            totals[reason] = totals.get(reason, 0) + count
    return _bars(dict(sorted(totals.items(), key=lambda item: (-item[1], item[0]))))


# ---- examples ---------------------------------------------------------------------------------------------------


def _sample(source: Path, size: int) -> list[Instruction]:
    """Return instructions drawn at random, the same ones for the same data whatever their order."""
    kept: list[tuple[int, bytes, str]] = []
    for path in instruction_files(source):
        for number, line in raw_rows(path):
            key = json.loads(line)["id"]
            entry = (-int.from_bytes(sha256(f"data card/{key}".encode()).digest()[:8], "big"), line, f"{path}:{number}")
            if len(kept) < size:
                heapq.heappush(kept, entry)
            elif entry > kept[0]:
                heapq.heapreplace(kept, entry)
    return [parse_line(line.decode("utf-8"), where) for _, line, where in sorted(kept, reverse=True)]


def _example(task: Instruction) -> Record:
    verdicts: Sequence[LeafVerdict] = ()
    if task.witness is not None:
        verdicts = task.evaluate(Response(None, task.witness)).leaves
    return {
        "id": task.id,
        "tags": [task.split, task.language, *filter(None, [task.difficulty]), task.source.seed_set],
        "turns": task.messages,
        "is_conversation": not isinstance(task.prompt, str),
        "tree": _node(task.tree, iter(verdicts), task.language),
        "answer": getattr(task.answer, "value", None),
        "witness": task.witness,
        "thinking": task.expert.thinking if task.expert else None,
    }


def _node(node: Node, verdicts: Iterator[LeafVerdict], language: str) -> Record:
    """Return a node for the template; leaves take their verdicts in document order."""
    if isinstance(node, Leaf):
        verdict = next(verdicts, None)
        return {
            "kind": "leaf",
            "type": node.constraint.type,
            "text": _said(node.constraint, language),
            "status": str(verdict.verdict.status) if verdict else "",
            "evidence": verdict.verdict.evidence if verdict else "",
            "needs": ", ".join(node.needs),
        }
    if isinstance(node, And):
        return {"kind": "And", "hint": "all of", "children": [_node(part, verdicts, language) for part in node.parts]}
    if isinstance(node, Chain):
        steps = [_node(step, verdicts, language) for step in node.steps]
        return {"kind": "Chain", "hint": "in this order; a step that fails blocks the later ones", "children": steps}
    return _selection(node, verdicts, language)


def _selection(node: Selection, verdicts: Iterator[LeafVerdict], language: str) -> Record:
    branches = [
        {"kind": "if", "hint": _when(branch.when, language), "children": [_node(branch.then, verdicts, language)]}
        for branch in node.branches
    ]
    if node.otherwise is not None:
        branches.append({"kind": "else", "hint": "", "children": [_node(node.otherwise, verdicts, language)]})
    return {"kind": "Selection", "hint": "the first branch whose condition holds", "children": branches}


def _when(condition: Condition, language: str) -> str:
    if isinstance(condition, AnswerCondition):
        relation = _RELATIONS.get(condition.relation, f"is {condition.relation}")
        return f"the reference answer {relation.format(condition.value)}"
    if isinstance(condition, RequestCondition):
        return condition.text or f"of the request: {_said(condition.constraint, language)}"
    return f"the answer satisfies: {_said(condition.constraint, language)}"


def _said(constraint: Constraint | None, language: str) -> str:
    return "a decision made with the instruction" if constraint is None else constraint.describe(language)
