"""The task sets by name: how their rows are read, and where they are on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from raif.sustain.records import Domain
from raif.sustain.tasks import maths, programs, questions
from raif.sustain.tasks.made import Columns, Made
from raif.sustain.tasks.places import Home


class Benchmark(NamedTuple):
    """A published task set.

    Fields:
        domain: of its tasks.
        make: turns the columns of a row into a task.
        needs: the columns without which a row is none of this set; of each group one suffices.
        marks: columns that tell its rows from those of sets with the same needs.
        home: where it is on the hub; none where it is read from files alone.
        licence: what its authors state.
    """

    domain: Domain
    make: Callable[[Columns], Made]
    needs: tuple[tuple[str, ...], ...]
    marks: frozenset[str] = frozenset()
    home: Home | None = None
    licence: str = ""


class Embedded(NamedTuple):
    """A task set that is made here, from the seed set of its name."""

    domain: Domain


_PARAGRAPHS = (("question",), ("context",), ("answer",))
BENCHMARKS: dict[str, Benchmark] = {
    "gsm8k": Benchmark(
        "math", maths.gsm8k, (("question",), ("answer",)), home=Home("openai/gsm8k", "main"), licence="MIT"
    ),
    "svamp": Benchmark(
        "math",
        maths.svamp,
        (("Body",), ("Question",), ("Answer",)),
        frozenset({"Body"}),
        Home("ChilleD/SVAMP"),
        "MIT",
    ),
    "math500": Benchmark(
        "math", maths.math, (("problem",), ("answer",)), home=Home("HuggingFaceH4/MATH-500"), licence="MIT"
    ),
    "olympiadbench": Benchmark(
        "math",
        maths.olympiadbench,
        (("question", "problem"), ("final_answer", "answer")),
        frozenset({"final_answer"}),
        Home("Hothan/OlympiadBench", "OE_TO_maths_en_COMP", "train"),
    ),
    "math": Benchmark("math", maths.math, (("problem", "question"), ("answer",))),
    "hotpotqa": Benchmark(
        "qa",
        questions.hotpotqa,
        _PARAGRAPHS,
        frozenset({"supporting_facts"}),
        Home("hotpotqa/hotpot_qa", "distractor", "validation"),
        "CC-BY-SA-4.0",
    ),
    "musique": Benchmark(
        "qa",
        questions.musique,
        (("id",), ("question",), ("paragraphs",), ("answer",)),
        frozenset({"paragraphs"}),
        Home("dgslibisey/MuSiQue", None, "validation"),
        "CC-BY-4.0",
    ),
    "2wikimultihop": Benchmark(
        "qa",
        questions.two_wiki,
        _PARAGRAPHS,
        frozenset({"supporting_facts", "evidences"}),
        Home("framolfese/2WikiMultihopQA", None, "validation"),
        "Apache-2.0",
    ),
    "humaneval": Benchmark(
        "code",
        programs.humaneval,
        (("prompt",), ("test",), ("entry_point",)),
        frozenset({"entry_point"}),
        Home("openai/openai_humaneval"),
        "MIT",
    ),
    "mbpp": Benchmark(
        "code",
        programs.mbpp,
        (("text", "prompt"), ("test_list",)),
        frozenset({"test_list"}),
        Home("google-research-datasets/mbpp", "full"),
        "CC-BY-4.0",
    ),
}
EMBEDDED: dict[str, Embedded] = {
    "arithmetic": Embedded("math"),
    "word_problems": Embedded("math"),
    "multi_hop": Embedded("qa"),
    "programs": Embedded("code"),
}
TASK_SETS: dict[str, Benchmark | Embedded] = {**BENCHMARKS, **EMBEDDED}
