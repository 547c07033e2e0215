"""What is read off published outputs, beside what a reference measurement on the same files states; print a table.

    PYTHONPATH=. python tests/benchmarks/self_evident.py [--data ../shared/data]

The reference counted 18.3 candidates for each of the 742 solutions of GSM8K's largest model with a verifier, 16.3 for
each sample answer of IFBench, and the shares of properties of HumanEval's 164 reference programs. Where ours differ:

- We read more. `comparable` keeps what the reference counted: three keywords (we take up to eight, which larger doses
  need), once rather than "at least r times", one family of scripts, and neither tables nor code; so restricted the
  yield is the reference's. All together it is 26.
- One family of scripts there was "ASCII only", which 0.94 of the outputs meet and which is therefore "middle" about
  half of the time; ours speaks of the script of the letters, which all meet: 2 to 3 points more are inert.
- Three solutions have fewer than 16: their small counts are the answer, or the question demands them already.
- IFBench's prompts are themselves demands. The reference did not ask whether a prompt demands a thing already; our
  gate refuses half a candidate per answer for that.
- Programs: the reference reads some properties off the prompt and the solution together (functions, docstrings,
  imports, comments, annotations), others off the solution alone (returns, loops, comprehensions). It found comments by
  looking for "#", which also stands in texts (0.95; by tokens 0.99); took parameters with types for an annotated
  signature (0.37; with a type for the result, as we ask, 0.18); and counted the names of comprehensions and single
  letters as local variables (0.84; without them 0.59). The column "extracted" is what remains when what the prompt
  gives is taken away, and what it names refused: there are no docstrings and signatures, and fewer names and imports.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any, NamedTuple

from data_gen.self_evident import Candidate, Solved, base_rate, extract
from data_gen.self_evident.extract import INERT, TIGHT
from data_gen.self_evident.reading import content_words
from rewards import CodeAnswer, Context, MathAnswer, Response
from rewards.text import Text, count_keyword

MODEL = "175b_verification"
OTHERS = 40
KEYWORDS = 3
#: The families that the reference counted, besides its keywords, with the base rates that it states.
RATES: dict[str, float | None] = {
    "words_between": 0.34, "at_most_words": 0.66, "exact_sentences": 0.26, "exact_lines": 0.27,
    "exact_paragraphs": 1.0, "no_list": 1.0, "no_bold": 1.0, "avoids": 0.99, "first_word": 0.06, "last_line": 1.0,
    "no_capital_words": 0.99, "no_comma": None, "no_exclamation": None, "no_question": None, "no_colon": None,
    "no_semicolon": None, "one_script": None, "bullets": None, "headings": None,
}  # fmt: skip
MARKS = ("no_comma", "no_exclamation", "no_question", "no_colon", "no_semicolon")
MARKS_RATE = 0.93
#: Properties of HumanEval's programs: as stated, and whether the prompt's own lines were part of what was read.
PROGRAMS: dict[str, tuple[float, bool]] = {
    "code_function_name": (1.0, True), "code_no_class": (1.0, True), "code_docstring": (0.99, True),
    "code_no_recursion": (0.99, True), "code_uses_recursion": (0.01, True), "code_no_try": (0.99, True),
    "code_no_lambda": (0.95, True), "code_no_comments": (0.95, True), "code_no_while": (0.91, True),
    "code_uses_while": (0.09, True), "code_single_function": (0.91, True), "code_helper_function": (0.09, True),
    "code_local_variable": (0.84, True), "code_no_imports": (0.83, True), "code_one_return": (0.63, False),
    "code_uses_for": (0.45, False), "code_annotated": (0.37, True), "code_comprehension": (0.27, False),
}  # fmt: skip


class Line(NamedTuple):
    """One line of the table."""

    name: str
    stated: float | None
    measured: float


class Read(NamedTuple):
    """Solved tasks, the candidates of each, what was refused by gate, and the seconds that it took."""

    solved: list[Solved]
    candidates: list[list[Candidate]]
    rejected: Counter[str]
    seconds: float


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines, packed or not."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in content.decode().splitlines()]


def read_gsm8k(path: Path) -> Read:
    """Extract from the correct solutions of the largest model, without calculator marks."""
    solved = []
    for number, row in enumerate(json_lines(path)):
        if row[MODEL]["is_correct"]:
            output = re.sub(r"<<[^>]*>>", "", row[MODEL]["solution"])
            gold = MathAnswer(value=row["ground_truth"].rsplit("A: ", 1)[1].strip())
            solved.append(Solved(str(number), row["question"], output, gold, "en", "gsm8k", "MIT"))
    rejected: Counter[str] = Counter()
    begin = time.process_time()
    candidates = [extract(one.request, one.output, one.answer, "en", rejected=rejected) for one in solved]
    return Read(solved, candidates, rejected, time.process_time() - begin)


def comparable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that the reference counted."""
    keywords = [each for each in candidates if each.family == "contains"][:KEYWORDS]
    return [each for each in candidates if each.family in RATES] + keywords


def base_rates(read: Read, step: int = 1) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the base rates of comparable candidates by family, and the shares of inert, middle and tight ones."""
    outputs = [Response(None, one.output) for one in read.solved]
    rng = Random("rates")
    rates: dict[str, list[float]] = {}
    labels: Counter[str] = Counter()
    for index in range(0, len(outputs), step):
        others = rng.sample(outputs[:index] + outputs[index + 1 :], OTHERS)
        for each in comparable(read.candidates[index]):
            rate = base_rate(each.constraint, others, Context())
            assert rate is not None
            rates.setdefault("marks" if each.family in MARKS else each.family, []).append(rate)
            labels["inert" if rate >= INERT else "tight" if rate <= TIGHT else "middle"] += 1
    return rates, {name: count / labels.total() for name, count in labels.items()}


def gsm8k_lines(read: Read) -> Iterator[Line]:
    """Yield what the reference states of the solutions, but for base rates."""
    sizes = [len(comparable(each)) for each in read.candidates]
    yield Line("gsm8k: solutions", 742, len(read.solved))
    yield Line("gsm8k: candidates per solution", 18.3, mean(sizes))
    yield Line("gsm8k: fewest", 16, min(sizes))
    yield Line("gsm8k: most", 19, max(sizes))
    yield Line("gsm8k: candidates per solution, all of ours", None, mean(map(len, read.candidates)))
    total = sum(map(len, read.candidates)) + read.rejected.total()
    yield Line("gsm8k: leaks, share of what was read", 0.004, read.rejected["leak"] / total)
    yield Line("gsm8k: milliseconds per solution", None, 1000 * read.seconds / len(read.solved))
    words = [content_words(Text(one.output), "en") for one in read.solved]
    for least, share in ((4, 0.96), (5, 0.87), (8, 0.56), (16, 0.04)):
        yield Line(f"gsm8k: at least {least} keywords", share, mean(len(each) >= least for each in words))
    asked = [
        count_keyword(Text(one.request), word) > 0
        for one, each in zip(read.solved, words, strict=True)
        for word in each[:KEYWORDS]
    ]
    yield Line("gsm8k: keywords that the question uses", 0.84, mean(asked))


def rate_lines(read: Read) -> Iterator[Line]:
    """Yield the base rates by family and the shares of tightness."""
    begin = time.process_time()
    rates, labels = base_rates(read)
    for name, stated in (("inert", 0.53), ("middle", 0.18), ("tight", 0.29)):
        yield Line(f"gsm8k: {name}", stated, labels[name])
    for family, rate in {**RATES, "marks": MARKS_RATE, "contains": 0.03}.items():
        if family in rates:
            yield Line(f"gsm8k: base rate of {family}", rate, mean(rates[family]))
    yield Line("gsm8k: seconds for all base rates", None, time.process_time() - begin)


def ifbench_lines(path: Path) -> Iterator[Line]:
    """Yield the candidates per answer, with the gate on what the prompt demands and without."""
    rows = json_lines(path)
    for name, use_prompt in (("with the prompt's demands", False), ("after the gate on them", True)):
        sizes = [
            len(comparable(extract(row["prompt"] if use_prompt else "", row["response"], None, "en"))) for row in rows
        ]
        yield Line(f"ifbench: candidates per answer, {name}", None if use_prompt else 16.3, mean(sizes))


def program_shares(rows: Sequence[Mapping[str, Any]], with_prompt: bool) -> dict[str, float]:
    """Return the share of reference programs off which each family is read.

    Args:
        rows: of HumanEval.
        with_prompt: whether the prompt's lines are taken for the program's own; else they are left out.
    """
    seen: Counter[str] = Counter()
    for row in rows:
        task = CodeAnswer(tests=row["test"], entry_point=row["entry_point"], prelude=row["prompt"])
        whole = f"```python\n{row['prompt']}{row['canonical_solution']}\n```"
        found = extract("Write a program." if with_prompt else row["prompt"], whole, task, "en")
        seen.update({each.family for each in found})
    return {family: count / len(rows) for family, count in seen.items()}


def program_lines(path: Path) -> Iterator[Line]:
    """Yield the share of each family, as the reference counted and as extracted."""
    rows = json_lines(path)
    own, whole = program_shares(rows, with_prompt=False), program_shares(rows, with_prompt=True)
    for family, (stated, with_prompt) in PROGRAMS.items():
        yield Line(f"humaneval: {family}", stated, (whole if with_prompt else own).get(family, 0.0))
    for family, share in sorted(own.items()):
        yield Line(f"humaneval: {family}, extracted", None, share)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    read = read_gsm8k(data / "gsm8k" / "example_model_solutions.jsonl")
    lines = [*gsm8k_lines(read), *rate_lines(read), *ifbench_lines(data / "ifbench" / "sample_output.jsonl")]
    lines += program_lines(data / "humaneval" / "HumanEval.jsonl.gz")
    print("| | stated | measured |\n|---|---:|---:|")
    for line in lines:
        print(f"| {line.name} | {'' if line.stated is None else f'{line.stated:g}'} | {line.measured:.4g} |")


if __name__ == "__main__":
    main()
