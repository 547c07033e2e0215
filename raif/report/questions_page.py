"""What the report says of a benchmark that asks questions about answers: its figures, its judge, every breakdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raif.plots.questions import (
    PROFILES,
    FigureName,
    breakdown_figure,
    differ,
    estimate_in,
    figures_figure,
    figures_in,
    levels_figure,
    levels_of,
)
from raif.report.document import Block, Cell, Note, Record, Run, Section, Table, amount, count, name, ratio, share
from raif.report.figures import picture
from raif.report.question_facts import asked, question_facts
from raif.report.runs import Folder

WORDS = (
    "Brackets are 95 % intervals; n and intervals are over items, or over groups of items that belong together, and "
    "below 20 there is no interval. The strict profile is the corrected reading, in which a question without a "
    "readable verdict counts as no; the parity profile repeats the published code on the same answers and verdicts, "
    "faults included."
)
FOLDED = 12  # rows; a longer breakdown is opened on demand
NAMED = 6  # figures without a value that are named; more are counted


def questions_run(folder: Folder, metrics: Record) -> Run:
    """Return the parts of the evaluation folder of a question benchmark."""
    sections = [Section("result", "Result", _result(metrics)), Section("judge", "Judge", _judge(metrics))]
    if metrics.get("groups"):
        sections.append(Section("groups", "Breakdowns", _breakdowns(metrics)))
    title = f"{metrics['title']} evaluation"
    return Run("evaluation", folder.label, title, lede(metrics), question_facts(metrics), sections, results(metrics))


def results(metrics: Record) -> dict[str, Record]:
    """Return the figures in per cent by label, for comparisons."""
    return {
        f"{metrics['title']}: {figure.title} ({profile})": found
        for figure in figures_in(metrics)
        for profile in PROFILES
        if figure.percent
        and _known(metrics, figure)
        and (found := estimate_in(metrics.get(profile), figure.name)) is not None
    }


def lede(metrics: Record) -> str:
    """Say the headline with its interval and n, the one that is shown first, then the other profile's."""
    first = metrics["headline"]["profile"]
    figure = next(each for each in figures_in(metrics) if each.name == metrics["headline"]["name"])
    told = [f"{figure.title} {_said(metrics, figure, first)} ({first} profile)"]
    for other in PROFILES:
        if other != first and metrics.get(other):
            alike = not differ(metrics[first], metrics[other], [figure.name])
            told.append(
                "the same in the parity profile" if alike else f"{_said(metrics, figure, other)} ({other} profile)"
            )
    warning = (metrics.get("judge") or {}).get("warning")
    return "; ".join(told) + "." + (f" Warning: {warning}" if warning else "")


def _said(metrics: Record, figure: FigureName, profile: str) -> str:
    estimate = estimate_in(metrics.get(profile), figure.name)
    if estimate is None or estimate["value"] is None:
        return "undecided"
    cell = _figure(estimate, figure)
    unit = " %" if figure.percent else ""
    return " ".join(filter(None, [f"{cell.text}{unit}", f"{cell.interval},".lstrip(","), f"n {estimate['n']:,}"]))


# ---- result -------------------------------------------------------------------------------------------------------


def _result(metrics: Record) -> list[Block]:
    figures = [figure for figure in figures_in(metrics) if _known(metrics, figure)]
    absent = [figure.title for figure in figures_in(metrics) if figure not in figures]
    rows = [[name(_titled(figure)), *_pair(metrics, figure)] for figure in figures]
    plots = [figures_figure(metrics)]
    if levels_of([figure.name for figure in figures]):
        plots.append(levels_figure(metrics))
    return [
        Table("Figures", ("Figure", "Strict", "Parity", "n"), rows, " ".join([WORDS, *_left_out(absent)])),
        Note(_compared(metrics, figures)),
        *([Note(metrics["note"])] if metrics.get("note") else []),
        *map(picture, plots),
        _answers(metrics),
        Note(metrics["power"]),
    ]


def _known(scores: Record, figure: FigureName) -> bool:
    """Tell whether a figure has a value in any profile."""
    return any((estimate_in(scores.get(profile), figure.name) or {}).get("value") is not None for profile in PROFILES)


def _left_out(labels: Sequence[str]) -> list[str]:
    """Name what is not shown, since nothing counts in it."""
    told = ", ".join(labels) if len(labels) <= NAMED else f"{len(labels)} rows"
    return [f"Left out, since nothing counts there: {told}."] if labels else []


def _titled(figure: FigureName) -> str:
    return f"{figure.title}, %" if figure.percent else figure.title


def _compared(metrics: Record, figures: Sequence[FigureName]) -> str:
    """Say in which figures the profiles differ."""
    names = {figure.name: figure.title for figure in figures}
    found = differ(metrics.get("strict"), metrics.get("parity"), list(names))
    if not found:
        return "Strict and parity agree in every figure."
    if len(found) == len(names):
        return "Strict and parity differ in every figure."
    return (
        f"Strict and parity differ in {len(found)} of {len(names)} figures: {'; '.join(names[key] for key in found)}."
    )


def _pair(scores: Record, figure: FigureName) -> list[Cell]:
    """Return a figure under both profiles, and over how many items each is."""
    pair = [estimate_in(scores.get(profile), figure.name) for profile in PROFILES]
    sizes = list(dict.fromkeys(each["n"] for each in pair if each is not None))
    n = count(sizes[0]) if len(sizes) == 1 else Cell(" / ".join(map(str, sizes)) or "–", value=sizes, quiet=True)
    return [*(_figure(each, figure) for each in pair), n]


def _figure(estimate: Record | None, figure: FigureName) -> Cell:
    return share(estimate) if figure.percent else ratio(estimate)


def _answers(metrics: Record) -> Table:
    """Return what there was to judge: answers without text or cut off, and their tokens."""
    unscored = (metrics.get("unscored") or {}).get("strict")
    rows = [
        [name("Answers without text"), count(metrics.get("no_answer")), count(None)],
        [name("Questions without a readable verdict"), count(unscored), count(None)],
        *_without_response(metrics),
    ]
    for key, label in {"truncated": "Truncated, %", "unclosed": "Thinking never closed, %"}.items():
        if found := metrics.get(key):
            rows.append([name(label), share(found), count(found["n"])])
    if tokens := metrics.get("completion_tokens"):
        rows.append([name("Completion tokens, mean"), amount(tokens), count(tokens["n"])])
    said = {"truncated": "truncation", "completion_tokens": "length in tokens"}
    unknown = [label for key, label in said.items() if metrics.get(key) is None]
    note = "Nothing is asked about an answer without text; its questions count as no."
    if unknown:
        note += f" Unknown: {' and '.join(unknown)}; the responses do not say."
    return Table("Answers", ("Quantity", "Value", "n"), rows, note)


# ---- judge --------------------------------------------------------------------------------------------------------


def _judge(metrics: Record) -> list[Block]:
    judge = metrics.get("judge")
    if judge is None:
        return [Note("Every question is answered by a rule; there is no judge.")]
    options = (metrics.get("settings") or {}).get("options") or {}
    return [
        *([Note(f"Warning: {judge['warning']}")] if judge.get("warning") else []),
        Note(asked(judge, options)),
        *([_counts(judge, asked=options.get("verdicts") is None)] if judge.get("calls") else []),
        *_unreadable(judge, (metrics.get("unscored") or {}).get("strict") or 0),
        *_quality(judge, options),
    ]


def _counts(judge: Record, asked: bool) -> Table:
    """Return calls, verdicts, and what they cost; that of stored replies is not known."""
    counts = {
        "Calls" if asked else "Calls, replayed": "calls",
        "Second tries, after an unreadable reply": "retries",
        "Verdicts": "verdicts",
        "Unreadable verdicts": "unreadable",
    }
    cost = {"Prompts, characters": "prompt_characters", "Replies, tokens": "completion_tokens"} if asked else {}
    rows = [[name(label), count(judge.get(key))] for label, key in counts.items()]
    if judge.get("verdicts"):
        rows.append([name("Unreadable, % of the verdicts"), share(judge["unreadable"] / judge["verdicts"])])
    rows += [[name(label), count(judge.get(key))] for label, key in cost.items()]
    return Table("Calls and verdicts", ("Quantity", "Value"), rows)


def _without_response(metrics: Record) -> list[list[Cell]]:
    """Return a row on the items that no stored answer was there for."""
    missing = sum(len(found["missing"]) for found in (metrics["settings"].get("responses") or {}).values())
    return [[name("Items without a stored answer, left out"), count(missing), count(None)]] if missing else []


def _unreadable(judge: Record, unscored: int) -> list[Note]:
    """Say what unreadable verdicts do to the figures; verdicts that were kept without replies have no share."""
    number = judge.get("unreadable") or unscored
    if not number:
        return []
    whole = f"of {judge['verdicts']:,} verdicts" if judge.get("unreadable") else "verdicts"
    text = (
        f"{number:,} {whole} could not be read. The strict profile counts them as no and keeps them in the denominator"
    )
    return [Note(f"{text}: its figures are too low by what a readable judge would have granted.")]


def _quality(judge: Record, options: Record) -> list[Block]:
    """Return how the judge agrees with stored verdicts, and with itself."""
    known = {
        "agreement": f"stored verdicts ({options.get('reference') or 'of the benchmark'})",
        "consistency": "its own first verdicts, asked again at temperature 0.7",
    }
    found = {label: judge[key] for key, label in known.items() if judge.get(key)}
    if not found:
        return [
            Note("The verdicts were compared with no others: neither stored ones nor a second round of the judge's.")
        ]
    columns = ("Compared with", "Agreement, %", "Kappa", "Precision, %", "Recall, %", "F1, %", "No verdict, %", "n")
    rows = [
        [name(label), share(_interval(each)), amount(each["kappa"]), *(share(each[key]) for key in _RATES),
         share(each["abstention_rate"]), count(each["n"])]
        for label, each in found.items()
    ]  # fmt: skip
    note = (
        "Question by question, on answers that both judged; n counts questions. Agreement, Cohen's kappa, precision, "
        "recall and F1 of yes are over those with a verdict; the interval is Wilson's."
    )
    return [Table("How far the verdicts agree", columns, rows, note), *(_confusion(*pair) for pair in found.items())]


_RATES = ("precision", "recall", "f1")


def _interval(record: Record) -> Record:
    return {"value": record["agreement"], "low": record["low"], "high": record["high"], "n": record["decided"]}


def _confusion(label: str, record: Record) -> Table:
    """Return the pairs of verdicts, the compared ones in rows."""
    cells = record["confusion"]
    rows = [
        [name(said), *(count(cells[f"{said}/{other}"]) for other in ("yes", "no", "none"))] for said in ("yes", "no")
    ]
    note = f"On {record['answers']:,} answers."
    if record.get("reference_unreadable"):
        note += f" Left out: {record['reference_unreadable']:,} questions without a readable verdict to compare with."
    return Table(f"Verdicts beside {label}", ("Verdict there", "yes", "no", "no verdict"), rows, note)


# ---- breakdowns ---------------------------------------------------------------------------------------------------


def _breakdowns(metrics: Record) -> list[Block]:
    labels = list(metrics["groups"])
    return [
        *(picture(breakdown_figure(metrics, label)) for label in labels),
        *(_group(metrics, label) for label in labels),
    ]


def _group(metrics: Record, label: str) -> Table:
    """Return a breakdown: a row for each value of the label, and for each figure where there are several."""
    groups: Mapping[str, Record] = metrics["groups"][label]
    figures = figures_in(metrics, label)
    one = len(figures) == 1
    every = [
        (value if one else f"{value}: {_titled(figure)}", group, figure)
        for value, group in groups.items()
        for figure in figures
    ]
    rows = [[name(row), *_pair(group, figure)] for row, group, figure in every if _known(group, figure)]
    absent = [row for row, group, figure in every if not _known(group, figure)]
    heads = [f"{_titled(figures[0])} ({profile})" for profile in PROFILES] if one else ["Strict", "Parity"]
    names = [figure.name for figure in figures]
    agree = not any(differ(group.get("strict"), group.get("parity"), names) for group in groups.values())
    note = " ".join([*(["Strict and parity agree here."] if agree else []), *_left_out(absent)])
    return Table(label, (label, *heads, "n"), rows, note, folded=len(rows) > FOLDED)
