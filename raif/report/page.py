"""report.html: what runs came to, in one file that opens from disk without a network."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from raif.json_files import write_whole
from raif.report.ablation_page import ablation_run
from raif.report.attention_page import attention_run
from raif.report.comparison_page import comparison, constraint_heatmap
from raif.report.document import Block, Run, Section
from raif.report.evaluation_page import evaluation_run
from raif.report.experiment_page import experiment_run
from raif.report.export import as_json, as_markdown
from raif.report.pack import Pack
from raif.report.run_pages import pipeline_run, training_run
from raif.report.runs import Folder, prompt_files, recognise, sources
from raif.report.suite_page import suite_run
from raif.report.survey import ROLLOUTS, Survey, survey
from raif.report.sustain_comparison_page import sustain_comparison_run
from raif.report.sustain_page import sustain_run
from raif.report.text import visible
from rewards.errors import RaifError

KINDS = {
    "pipeline": pipeline_run,
    "evaluation": evaluation_run,
    "experiment": experiment_run,
    "ablation": ablation_run,
    "training": training_run,
    "sustain": sustain_run,
    "attention": attention_run,
    "sustain-comparison": sustain_comparison_run,
    "suite": suite_run,
}


class Report(NamedTuple):
    """Everything a report says; the page, the Markdown and the JSON show the same tables."""

    folders: list[Folder]
    runs: list[Run]
    comparison: Section | None
    survey: Survey
    pack: Pack


def make_report(paths: Sequence[Path], limit: int = ROLLOUTS) -> Report:
    """Read runs and bring their results and rollouts into the form that is shown.

    Raises:
        RaifError: if a folder holds no run that is known, or a file of it is broken.
    """
    folders = recognise(paths)
    runs = [_read(folder) for folder in folders]
    files = [source for number, folder in enumerate(folders) for source in sources(number, folder)]
    found = survey(files)
    if len(runs) == 1:
        _add_heatmap(runs, found)
    pack = Pack(found, files, [run.label for run in runs], limit)
    pack.finish([file for folder in folders for file in prompt_files(folder)])
    return Report(folders, runs, comparison(runs, folders, found), found, pack)


def write_page(report: Report, path: Path) -> Path:
    """Write the page."""
    return write_whole(path, _render(_context(report)), errors="backslashreplace")


def write_markdown(report: Report, path: Path) -> Path:
    """Write the tables as Markdown."""
    return write_whole(path, as_markdown(report.runs, report.comparison), errors="backslashreplace")


def write_json(report: Report, path: Path) -> Path:
    """Write the tables as JSON, with every number unrounded."""
    content = as_json(report.runs, report.comparison)
    return write_whole(path, json.dumps(content, indent=1, allow_nan=False) + "\n", errors="backslashreplace")


def page_path(paths: Sequence[Path], out: Path | None) -> Path:
    """Return where the page goes: `out`, or `report.html` in the single run's folder.

    Raises:
        RaifError: if there are several runs and no `out`, or `out` is no page.
    """
    if out is None:
        if len(paths) != 1:
            raise RaifError(f"{len(paths)} runs have no folder in common; say where the page goes: --out PAGE.html.")
        return paths[0] / "report.html"
    if out.suffix != ".html" or out.is_dir():
        raise RaifError(f"--out {out} is no page; name a file that ends in .html, for example {out / 'report.html'}.")
    return out


def check_tables(paths: Sequence[Path], page: Path, markdown: Path | None, json: Path | None) -> None:
    """Refuse places of the tables that are folders, the page itself, or files of the runs.

    Raises:
        RaifError: which names the option.
    """
    folders, taken = [path.resolve() for path in paths], [page.resolve()]
    for option, path in (("--markdown", markdown), ("--json", json)):
        if path is None:
            continue
        if path.is_dir() or path.resolve() in taken:
            what = "a folder" if path.is_dir() else "written already"
            raise RaifError(f"{option} {path} is {what}; name another file.")
        if path.is_file() and path.resolve().parent in folders and not path.name.startswith("report"):
            raise RaifError(f"{option} {path} is a file of the run; name another, such as report{path.suffix}.")
        taken.append(path.resolve())


def _read(folder: Folder) -> Run:
    try:
        return KINDS[folder.kind](folder)
    except RaifError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise RaifError(
            f"the result of the {folder.kind} in {folder.path} lacks something, or was written by another version "
            f"({type(error).__name__}: {error}). Run the command that wrote it again."
        ) from error


def _add_heatmap(runs: list[Run], found: Survey) -> None:
    """Add the pass rates of every evaluated slot of a single run, where it has several of the same items."""
    if runs[0].kind == "suite":
        return
    slots = [number for number in range(len(found.slots)) if found.outcomes[number].constraints]
    if len(slots) < 2:
        return
    blocks = constraint_heatmap(runs, found, slots)
    place = next((i for i, section in enumerate(runs[0].sections) if section.name == "constraints"), None)
    if place is None:
        runs[0].sections.append(Section("constraints", "Constraints", blocks))
    else:
        old = runs[0].sections[place]
        runs[0].sections[place] = Section(old.name, old.title, [*old.blocks, *blocks])


def _context(report: Report) -> dict[str, Any]:
    several = len(report.runs) > 1
    counts, slots = report.pack.counts, report.survey.slots
    shown = [
        {
            "run": report.runs[slot.run].label if several else "",
            "name": slot.name,
            "shown": counts.get(number, 0),
            "total": report.survey.totals[number],
        }
        for number, slot in enumerate(slots)
    ]
    return {
        "title": f"{len(report.runs)} runs" if several else report.runs[0].title,
        "runs": report.runs,
        "comparison": report.comparison,
        "slots": shown,
        "names": list(dict.fromkeys(slot.name for slot in slots)),
        "cut": report.pack.cut,
        "pack": report.pack,
        "contrast": any(slot.training for slot in slots),
        "facets": report.pack.facets,
    }


def _render(context: Mapping[str, Any]) -> str:
    """Fill the template; its content policy lets no script run but ours, and nothing load."""
    loader = PackageLoader("raif.report")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=visible,
    )
    environment.filters |= {"grouped": _grouped, "drawn": _drawn}
    style, script = (loader.get_source(environment, name)[0] for name in ("style.css", "app.js"))
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assets = {"style": Markup(style), "script": Markup(script), "script_hash": f"sha256-{digest}"}
    return environment.get_template("report.html.j2").render(**context, **assets) + "\n"


def _grouped(blocks: Sequence[Block]) -> list[tuple[str, list[Block]]]:
    """Return neighbouring blocks of one kind together, so that pictures can stand beside each other."""
    return [(kind, list(group)) for kind, group in groupby(blocks, key=lambda block: block.kind)]


def _drawn(svg: str) -> Markup:
    """Return a chart without the ids that nothing in it refers to: they repeat between charts."""
    used = set(re.findall(r'(?:#|(?:aria-labelledby|aria-describedby)=")([\w.-]+)', svg))
    return Markup(re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg))
