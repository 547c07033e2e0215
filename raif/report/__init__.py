"""The report of a run: one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path


def write_report(run_folder: Path) -> Path:
    """Write `report.html` into a run folder and return its path."""
    from raif.report.page import write_page

    return write_page(Path(run_folder))
