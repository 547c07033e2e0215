"""The dataset card: README.md with the header that dataset hubs read, written from statistics and manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from data_gen.statistics import Statistics

# Identifiers that dataset hubs know; other licences are named in the text.
_LICENCES = frozenset(
    "apache-2.0 mit cc0-1.0 cc-by-4.0 cc-by-sa-4.0 cc-by-nc-4.0 cc-by-nc-sa-4.0 cc-by-3.0 cc-by-sa-3.0 odc-by odbl "
    "pddl bsd-3-clause bsd-2-clause gpl-3.0 unlicense wtfpl".split()
)
_SAME_LICENCE = {
    "odc-by-1.0": "odc-by",
    "odbl-1.0": "odbl",
    "pddl-1.0": "pddl",
    "cc0": "cc0-1.0",
    "apache 2.0": "apache-2.0",
}
_SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
_SHOWN = 15


def dataset_card(found: Statistics, name: str, files: Mapping[str, Sequence[str]], types: int = 30) -> str:
    """Return the text of README.md.

    Args:
        found: statistics of the data.
        name: what the data set is called.
        files: the parquet files of each split, relative to the folder.
        types: how many constraint types are listed.
    """
    header = yaml.safe_dump(_header(found, name, files), sort_keys=False, allow_unicode=True)
    parts = (
        f"# {name}",
        _opening(found),
        _section("Use", _use(name, files)),
        _section("Composition", _composition(found)),
        _section("Constraints", _constraints(found, types)),
        _section("Wording", _wording(found)),
        _section("Seeds and licences", _seeds(found)),
        _section("Rejected candidates", _rejected(found)),
        _section("Contamination", contamination_statement(found.manifest)),
        _section("Make it again", _remake(found.manifest)),
    )
    return f"---\n{header}---\n\n" + "\n\n".join(parts) + "\n"


def size_category(rows: int) -> str:
    """Return the size category that hubs use.

    Example:
        >>> size_category(20_000)
        '10K<n<100K'
    """
    return next((label for limit, label in _SIZES if rows < limit), "n>1T")


def _header(found: Statistics, name: str, files: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    licences = sorted({_licence(licence) for licences in found.licences.values() for licence in licences})
    return {
        "pretty_name": name,
        "license": licences[0] if len(licences) == 1 else licences,
        "language": sorted(found.languages),
        "size_categories": [size_category(found.rows)],
        "task_categories": ["text-generation"],
        "tags": ["instruction-following", "verifiable-rewards", "reinforcement-learning", "synthetic", "raif"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in files],
            }
        ],
    }


def _licence(licence: str) -> str:
    known = licence.strip().lower()
    known = _SAME_LICENCE.get(known, known)
    return known if known in _LICENCES else "other"


def _opening(found: Statistics) -> str:
    return (
        f"{found.rows:,} instructions with constraints that rules and, where marked, judges decide. Every row holds "
        "the request, the prompt, the tree of constraints, the sub-instructions, the ground truth if there is one, and "
        "a witness: a response that satisfies all constraints."
    )


def _use(name: str, files: Mapping[str, Sequence[str]]) -> str:
    split = next(iter(files))
    return (
        "```python\n"
        "from datasets import load_dataset\n"
        "from data_gen.export import instruction_from_row\n\n"
        f'rows = load_dataset("path/to/{name}", split="{split}")\n'
        "instruction = instruction_from_row(rows[0])  # the record, as rewards and trainers take it\n"
        "```\n\n"
        "`tree` and `answer` are JSON texts, since their shapes differ from row to row; the other columns are typed."
    )


def _composition(found: Statistics) -> str:
    splits = {split: found.split_languages.get(split, {}) for split in found.splits}
    languages = list(found.languages)
    table = _table(
        ["split", "instructions", *languages],
        [
            [split, found.splits[split], *(counts.get(code, 0) for code in languages)]
            for split, counts in splits.items()
        ],
    )
    leaves = found.soft_leaves + found.rule_leaves
    mean = leaves / found.rows
    return "\n\n".join(
        (
            table,
            f"{mean:.2f} constraints an instruction on average; {_percent(found.nested)} of the trees are nested two "
            f"levels deep or more; {found.rule_leaves:,} leaves are decided by rules, {found.soft_leaves:,} by judges.",
            _counts_table("depth of the tree", found.depths, found.rows),
            _counts_table("nodes", found.nodes, sum(found.nodes.values())),
            *([_counts_table("conditions of branches", found.conditions, None)] if found.conditions else []),
            _counts_table("prompt", found.prompts, found.rows),
            *([_counts_table("layout", found.layouts, None)] if found.layouts else []),
            *([_counts_table("difficulty", found.difficulties, found.rows)] if len(found.difficulties) > 1 else []),
        )
    )


def _constraints(found: Statistics, limit: int) -> str:
    present = found.strict_types - len(found.missing_types)
    total = sum(found.types.values())
    rest = len(found.types) - limit
    more = f"\n\n{rest} more types occur less often." if rest > 0 else ""
    return (
        f"{present} of {found.strict_types} strict constraint types occur ({_percent(found.type_coverage)}).\n\n"
        + _counts_table("family", found.families, total)
        + "\n\n"
        + _counts_table("type", dict(list(found.types.items())[:limit]), total)
        + more
    )


def _wording(found: Statistics) -> str:
    wording = found.wording
    return (
        f"The prompts begin in {wording.openings:,} different ways (first three words, or four characters in Chinese); "
        f"the most frequent opening has {_percent(wording.largest_share)} of them. Of the runs of one, two and three "
        f"words in {wording.sample:,} prompts, "
        + ", ".join(_percent(share) for share in wording.distinct.values())
        + " are different."
    )


def _seeds(found: Statistics) -> str:
    rows = [[name, ", ".join(licences), sum(licences.values())] for name, licences in found.licences.items()]
    return _table(["seed set", "licence", "instructions"], rows)


def _rejected(found: Statistics) -> str:
    if not any(found.rejected.values()):
        return "None were recorded."
    totals: dict[str, int] = {}
    for reasons in found.rejected.values():
        for reason, count in reasons.items():
            totals[reason] = totals.get(reason, 0) + count
    ordered = dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))
    shown = dict(list(ordered.items())[:_SHOWN])
    rest = sum(ordered.values()) - sum(shown.values())
    more = f"\n\n{rest:,} more for {len(ordered) - len(shown)} other reasons." if rest else ""
    return (
        f"{sum(ordered.values()):,} candidates were drawn and turned down, so {found.rows:,} were kept.\n\n"
        + _counts_table("reason", shown, None)
        + more
    )


def contamination_statement(manifest: Mapping[str, Any]) -> str:
    """Say what the data were compared with, by the manifest's `decontamination` section.

    Example:
        >>> contamination_statement({})
        'The data were not compared with any benchmark.'
    """
    section = manifest.get("decontamination") or {}
    items = section.get("items") or {}
    if not items:
        return "The data were not compared with any benchmark."
    compared = ", ".join(f"{name} ({count:,} items)" for name, count in items.items())
    dropped = {reason: count for reason, count in (section.get("counts") or {}).items() if count}
    counted = "; ".join(f"{reason}: {count:,}" for reason, count in dropped.items()) or "nothing was found"
    return (
        f"Compared with {compared}. A candidate was dropped if 13 words in a row, at least half of the runs of 8 words "
        "of its request, or its constraints together with their arguments are those of an item. "
        f"Counts: {counted}. Digest of index and rule: `{section.get('digest', '')}`."
    )


def _remake(manifest: Mapping[str, Any]) -> str:
    if not manifest:
        return "No manifest was found beside the instructions."
    versions = ", ".join(f"{name} {version}" for name, version in (manifest.get("versions") or {}).items())
    recipe = yaml.safe_dump(manifest.get("config") or {}, sort_keys=False, allow_unicode=True).strip()
    return (
        f"Seed {manifest.get('seed', 'not recorded')}; made with {versions or 'unrecorded versions'}. Save the recipe "
        "and run it; the same versions give the same bytes.\n\n"
        "```bash\npython -m data_gen --config recipe.yaml --out DIR\n```\n\n"
        f"```yaml\n{recipe}\n```"
    )


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _counts_table(label: str, counts: Mapping[Any, int], total: int | None) -> str:
    if total is None:
        return _table([label, "count"], [[name, count] for name, count in counts.items()])
    return _table(
        [label, "count", "share"], [[name, count, _percent(count / max(1, total))] for name, count in counts.items()]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
