"""Rows with official constraint ids -> instructions with rule leaves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from data_gen.seeds.rows import Row
from raif.sources.layouts import BadRow, Layout
from raif.sources.settings import DataSource
from rewards.instruction import Instruction
from rewards.parity import suite
from rewards.parity.importers import instruction_from


def constraints_row(source: DataSource, layout: Layout, row: Row) -> Instruction:
    """Return the instruction of a row of IF-RLVR, IFEval, IFBench or MathIF, in the strict profile.

    Raises:
        BadRow: if its ground truth is of another data set.
        RaifError: if an id or an argument is not known.
    """
    columns = row.columns
    if layout.name == "mathif":
        return instruction_from("mathif", {"id": row.number, **columns})
    if layout.name == "iftrain":
        if "func_name" in str(columns["ground_truth"]):
            raise BadRow(
                "ground_truth of RLVR-IFeval",
                "has a ground_truth with func_name (RLVR-IFeval); only lists of instruction_id and kwargs are known",
            )
        return instruction_from("iftrain", {"id": row.number, **columns})
    return by_ids({"key": row.number, **columns})


def by_ids(columns: Mapping[str, Any]) -> Instruction:
    """Return the instruction of `key`, `prompt`, `instruction_id_list` and `kwargs`; the ids tell the suite.

    Example:
        >>> row = {"key": 1, "prompt": "Hi.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
        >>> by_ids(row).constraints
        (NoComma(type='punctuation:no_comma', scope='answer'),)
    """
    name = _suite_of(columns["instruction_id_list"])
    if name != "iftrain":
        return instruction_from(name, columns)
    truth = [{"instruction_id": columns["instruction_id_list"], "kwargs": columns["kwargs"]}]
    messages = [{"role": "user", "content": columns["prompt"]}]
    return instruction_from("iftrain", {"key": columns["key"], "messages": messages, "ground_truth": truth})


def _suite_of(ids: Any) -> str:
    """Return the first suite that knows all ids; the importer of `ifeval` names the one that none knows."""
    names = set(ids) if isinstance(ids, (list, tuple)) and all(isinstance(name, str) for name in ids) else set()
    return next((name for name in ("ifeval", "ifbench", "iftrain") if names <= _checks(name)), "ifeval")


@lru_cache(maxsize=4)
def _checks(name: str) -> frozenset[str]:
    return frozenset(suite(name).checks)
