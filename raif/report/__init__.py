"""The report of runs: one self-contained HTML page, and the same tables as Markdown and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def write_report(
    runs: Path | Sequence[Path],
    out: Path | None = None,
    *,
    markdown: Path | None = None,
    json: Path | None = None,
) -> Path:
    """Write the page of one run or several and return its path.

    Args:
        runs: folders of pipeline runs, evaluations, attention analyses, comparisons, experiments, ablations or
            trainings, in any mixture.
        out: the page; `report.html` in the folder of a single run by default.
        markdown: where the tables go as Markdown, if anywhere.
        json: where the tables go as JSON, if anywhere.

    Raises:
        RaifError: if a folder holds no known run, a file is broken, or several runs have no `out`.
    """
    from raif.report.page import check_tables, make_report, page_path, write_json, write_markdown, write_page

    paths = [Path(runs)] if isinstance(runs, str | Path) else [Path(run) for run in runs]
    page = page_path(paths, out)
    check_tables(paths, page, markdown, json)
    report = make_report(paths)
    if markdown is not None:
        write_markdown(report, markdown)
    if json is not None:
        write_json(report, json)
    return write_page(report, page)
