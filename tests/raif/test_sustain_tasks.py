"""Task sets: every format becomes the same kind of task, what cannot be read says why, and nothing is lost unseen."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from data_gen.arguments import belongs_to
from data_gen.self_evident import extract
from raif.sustain.scoring import score_all
from raif.sustain.tasks import TASK_SETS, load_tasks, read_task_set
from rewards.errors import RaifError
from rewards.response import Response
from rewards.task_answer import CodeAnswer, QaAnswer

PAIRS = [["Blue Mill", ["The mill stands in Oda.", " It is old."]], ["Oda", ["Oda lies on the Ren."]]]
HOTPOT = {
    "_id": "h1",
    "question": "On which river does the place of the Blue Mill lie?",
    "answer": "the Ren",
    "type": "bridge",
    "level": "hard",
    "context": PAIRS,
    "supporting_facts": [["Oda", 0]],
}
MUSIQUE = {
    "id": "3hop1__12_34_56",
    "question": "Who built the mill?",
    "paragraphs": [{"idx": 0, "title": "Blue Mill", "paragraph_text": "Ada Orn built it.", "is_supporting": True}],
    "answer": "Ada Orn",
    "answer_aliases": ["A. Orn", "Ada Orn"],
    "answerable": True,
}
MBPP = {
    "task_id": 11,
    "text": "Write a function that doubles a number.",
    "code": "def helper(x):\n    return x\n\ndef double(x):\n    return helper(x) * 2\n",
    "test_list": ["assert abs(double(2)) == 4", "assert double(-3) == -6"],
    "test_setup_code": "",
    "challenge_test_list": [],
}


def write(path: Path, *rows: Any) -> Path:
    """Write a JSON array, or JSON lines, by the suffix."""
    text = json.dumps(rows) if path.suffix == ".json" else "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def test_gsm8k_from_file_and_folder(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "gsm8k"
    tasks = load_tasks(f"gsm8k={folder / 'test.jsonl'}")
    assert len(tasks) == 1319
    assert len({task.id for task in tasks}) == 1319
    assert (tasks[0].id, tasks[0].gold, tasks[0].domain, tasks[0].licence) == ("gsm8k/1", "18", "math", "MIT")
    assert tasks[0].request.endswith("market?\n\nPut the final answer in \\boxed{}.")
    assert load_tasks(f"gsm8k={folder}") == tasks  # through datasets.load_dataset, its split test
    spread = load_tasks(f"gsm8k={folder / 'test.jsonl'}", limit=10)
    assert [task.id for task in spread] == [f"gsm8k/{1 + place * 1319 // 10}" for place in range(10)]


def test_humaneval_holds_its_prompt_verbatim(shared_dir: Path) -> None:
    path = shared_dir / "data" / "humaneval" / "HumanEval.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    tasks = load_tasks(f"humaneval={path}")
    assert [task.id for task in tasks] == [f"humaneval/{number}" for number in range(164)]
    for task, row in zip(tasks, rows, strict=True):
        assert isinstance(task.answer, CodeAnswer)
        assert row["prompt"] in task.request
        assert (task.answer.prelude, task.answer.entry_point) == (row["prompt"], row["entry_point"])


def test_other_mathematics(tmp_path: Path) -> None:
    svamp = {"ID": "chal-1", "Body": "Ed has 9 pens.", "Question": "He loses 4. How many?", "Answer": 5.0, "Type": "S"}
    math500 = {"problem": "Solve.", "answer": "\\frac{1}{2}", "level": 3, "subject": "Algebra", "unique_id": "t/1.json"}
    olympiad = {
        "id": 4,
        "question": "Find all x.",
        "final_answer": ["$2$", "$3$"],
        "error": None,
        "subfield": "Algebra",
    }
    close = {**olympiad, "id": 5, "question": "About how much?", "error": "1e-2"}
    chinese = {"question": "小明有三个苹果，又买了两个，一共有多少个苹果？", "answer": "5"}
    spec = ",".join(
        f"{name}={path}"
        for name, path in (
            ("svamp", write(tmp_path / "SVAMP.json", svamp)),
            ("math500", write(tmp_path / "m.jsonl", math500)),
            ("olympiadbench", write(tmp_path / "o.jsonl", olympiad, close)),
            ("math", write(tmp_path / "aime.jsonl", {"question": "1,000 + 80?", "answer": "1,080"}, chinese)),
        )
    )
    left_out = Counter[str]()
    found = load_tasks(spec, left_out=left_out)
    assert left_out == {"olympiadbench: answer with a tolerance": 1}
    assert [(task.id, task.gold) for task in found] == [
        ("svamp/chal-1", "5"),
        ("math500/t/1.json", "\\frac{1}{2}"),
        ("olympiadbench/4", "2, 3"),
        ("aime/1", "1080"),  # a file of one's own is known by its name
        ("aime/2", "5"),
    ]
    assert found[0].request.startswith("Ed has 9 pens. He loses 4. How many?\n\n")
    assert found[0].labels == {"type": "S"}
    assert found[1].labels == {"level": "3", "type": "Algebra"}
    assert (found[4].language, "\\boxed{}" in found[4].request, "final" in found[4].request) == ("zh", True, False)


def test_paragraphs_of_every_edition_read_alike(tmp_path: Path) -> None:
    from pyarrow import Table, parquet

    hub = {**HOTPOT, "id": "h1", "context": {"title": [t for t, _ in PAIRS], "sentences": [s for _, s in PAIRS]}}
    hub["supporting_facts"] = {"title": ["Oda"], "sent_id": [0]}
    del hub["_id"]
    folder = tmp_path / "copy"
    (folder / "distractor").mkdir(parents=True)
    parquet.write_table(Table.from_pylist([hub]), folder / "distractor" / "validation-00000-of-00001.parquet")
    config = "- config_name: distractor\n  data_files:\n  - {split: validation, path: distractor/validation-*}\n"
    (folder / "README.md").write_text(f"---\nlicense: cc-by-sa-4.0\nconfigs:\n{config}---\n", encoding="utf-8")
    official = write(tmp_path / "dev.json", HOTPOT)
    kept_as_text = write(tmp_path / "text.jsonl", {**HOTPOT, "context": json.dumps(PAIRS)})
    places = (official, kept_as_text, folder, f"{folder}@validation", next(folder.glob("*/*.parquet")))
    tasks = [load_tasks(f"hotpotqa={place}")[0] for place in places]
    assert all(task == tasks[0] for task in tasks)
    task = tasks[0]
    assert task.request == (
        "Blue Mill\nThe mill stands in Oda. It is old.\n\nOda\nOda lies on the Ren.\n\n"
        "Question: On which river does the place of the Blue Mill lie?\n\n"
        'End with a line of the form "Answer: ..." (the word "Answer", a colon, a short answer).'
    )
    assert (task.id, task.gold) == ("hotpotqa/h1", "the Ren")
    assert task.labels == {"hops": "2", "type": "bridge", "level": "hard"}


def test_what_the_user_turn_demands_is_no_constraint(tmp_path: Path) -> None:
    hotpot = load_tasks(f"hotpotqa={write(tmp_path / 'dev.json', HOTPOT)}")[0]
    output = "Look, a mill stands in Oda\nand that town lies on a river.\nAnswer: on day 5 the Ren"
    said = {each.text() for each in extract(hotpot.request, output, hotpot.answer, "en")}
    assert 'Include the word "mill".' in said
    assert 'The first word of your answer must be "Look".' in said
    assert not [text for text in said if 'answer"' in text.lower() or " colon" in text or "last line" in text]


def test_musique_and_its_unanswerable_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "musique.jsonl", MUSIQUE, {**MUSIQUE, "id": "2hop__1_2", "answerable": False})
    read = read_task_set("musique", str(path))
    assert read.left_out == {"unanswerable": 1}
    assert len(read.tasks) == 1
    assert read.tasks[0].answer == QaAnswer(values=("Ada Orn", "A. Orn"))
    assert read.tasks[0].labels == {"hops": "3", "type": "3hop1"}
    assert "Blue Mill\nAda Orn built it." in read.tasks[0].request


def test_2wiki_counts_its_hops_and_takes_aliases(tmp_path: Path) -> None:
    row = {**HOTPOT, "evidences": [["a", "b", "c"], ["c", "d", "e"]], "type": "compositional", "answer_id": "Q7"}
    path = write(tmp_path / "dev.json", row)
    before = load_tasks(f"2wikimultihop={path}")[0]
    assert before.labels == {"hops": "2", "type": "compositional", "level": "hard"}
    assert before.gold == "the Ren"
    (tmp_path / "id_aliases.json").write_text('{"Q_id": "Q7", "aliases": ["Ren river"], "demonyms": []}\n')
    assert load_tasks(f"2wikimultihop={path}")[0].answer == QaAnswer(values=("the Ren", "Ren river"))
    (tmp_path / "id_aliases.json").write_text('{"Q": 1}\n')
    with pytest.raises(RaifError, match="no line of aliases"):
        load_tasks(f"2wikimultihop={path}")


def test_mbpp_names_the_function_by_its_first_test(tmp_path: Path) -> None:
    sanitized = {
        **{key: MBPP[key] for key in ("code", "test_list")},
        "task_id": 12,
        "prompt": "Write a function to double a number, please.",
        "test_imports": ["import math"],
    }
    tasks = load_tasks(f"mbpp={write(tmp_path / 'full.jsonl', MBPP)}") + load_tasks(
        f"mbpp={write(tmp_path / 'sane.json', sanitized)}"
    )
    assert [task.id for task in tasks] == ["mbpp/11", "mbpp/12"]
    for task in tasks:
        assert isinstance(task.answer, CodeAnswer)
        assert task.answer.entry_point == "double"
        assert "abs(double(2)) == 4" in task.request
        assert "-6" not in task.request
        assert "helper" not in task.request
    assert tasks[1].gold.startswith("import math\nassert")
    right = Response(None, f"```python\n{MBPP['code']}```")
    wrong = Response(None, "```python\ndef double(x):\n    return 4\n```")
    named = Response(None, "```python\ndef twice(x):\n    return 2 * x\n```")
    found = score_all([(tasks[0], right), (tasks[0], wrong), (tasks[1], named), (tasks[1], right)])
    assert [each.ending for each in found] == ["passed", "wrong_output", "entry_missing", "passed"]


@pytest.mark.parametrize("name", ["arithmetic", "word_problems", "multi_hop", "programs"])
def test_embedded_sets_are_held_out_different_and_the_same_again(name: str) -> None:
    tasks = load_tasks(f"{name}=40")
    assert tasks == load_tasks(f"{name}=40")
    assert tasks[:15] == load_tasks(f"{name}=15")
    assert len({task.id for task in tasks}) == 40
    assert {task.domain for task in tasks} == {TASK_SETS[name].domain}
    assert all(belongs_to("test", f"seed={task.id}") for task in tasks)
    assert {task.language for task in load_tasks(f"{name}=4:zh")} == {"zh"}


def test_options_of_an_embedded_set() -> None:
    assert {task.labels["hops"] for task in load_tasks("multi_hop=20:hops=3-3:names=24")} == {"3"}
    assert len(load_tasks("multi_hop")) == 200


def test_duplicates_count_once_across_sets(tmp_path: Path) -> None:
    row = {"question": "2 + 2?", "answer": "4"}
    first = write(
        tmp_path / "a.jsonl", row, {**row, "question": "2  + 2? "}, {**row, "question": "2 + 3?", "answer": "5"}
    )
    second = write(tmp_path / "b.jsonl", row)
    left_out = Counter[str]()
    tasks = load_tasks(f"math={first},math={second}", left_out=left_out)
    assert [task.id for task in tasks] == ["a/1", "a/3"]
    assert left_out == {"math: duplicate request": 2}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("", "names no task set"),
        ("gsm8l", "unknown task set 'gsm8l'; did you mean 'gsm8k'?"),
        ("math", "math has no place of its own"),
        ("gsm8k=none.jsonl", "gsm8k=none.jsonl: there is no such file or folder"),
        ("gsm8k={tmp}/none", "there is no such file or folder"),
        ("gsm8k", r"'openai/gsm8k' \(config 'main', split 'test'.* could not be loaded.*hf download"),
        ("gsm8k=some/where/other@dev", r"'some/where' \(config 'other', split 'dev'"),
        ("gsm8k={math}", "math.jsonl:1 has an answer without `####`"),
        ("gsm8k={hotpot}", "is no row of gsm8k.*It looks like hotpotqa: write hotpotqa=PLACE"),
        ("math={musique}", "It looks like musique"),
        ("hotpotqa={math}", "math.jsonl:1 has no context; it has: question, answer"),
        ("hotpotqa={wiki}", "It looks like 2wikimultihop"),
        ("humaneval={mbpp}", "has no prompt, test, entry_point.*It looks like mbpp"),
        ("math={broken}", "broken.jsonl:2 is not JSON"),
        ("math={blank}", "blank.jsonl:2 has no answer"),
        ("math={empty}", "there are no rows"),
        ("math={txt}", "the suffix '.txt' is none of"),
        ("math={zipped}", "zipped.jsonl.gz cannot be unpacked"),
        ("math={twice}", "1 ids occur twice"),
        ("hotpotqa={shapeless}", "paragraphs of an unknown shape"),
        ("arithmetic=many", "'many' is no number of tasks"),
        ("arithmetic=5:fr", "'fr' is neither a language nor an option"),
        ("multi_hop=5:hop=2", "hop: Extra inputs"),
        ("arithmetic=90000", "held out from training; ask for at most"),
    ],
)
def test_what_cannot_be_loaded_says_why(spec: str, said: str, tmp_path: Path) -> None:
    row = {"question": "2 + 2?", "answer": "4"}
    files = {
        "tmp": tmp_path,
        "math": write(tmp_path / "math.jsonl", row),
        "hotpot": write(tmp_path / "hotpot.json", HOTPOT),
        "wiki": write(tmp_path / "wiki.json", {**HOTPOT, "evidences": []}),
        "musique": write(tmp_path / "musique.jsonl", MUSIQUE),
        "mbpp": write(tmp_path / "mbpp.jsonl", MBPP),
        "blank": write(tmp_path / "blank.jsonl", row, {**row, "answer": None}),
        "twice": write(tmp_path / "twice.jsonl", {**row, "id": 1}, {**row, "id": 1, "question": "2 + 3?"}),
        "shapeless": write(tmp_path / "shapeless.json", {**HOTPOT, "context": [1, 2]}),
    }
    for name, text in (("broken.jsonl", f"{json.dumps(row)}\n{{"), ("empty.jsonl", "\n"), ("txt.txt", "")):
        files[name.split(".")[0]] = tmp_path / name
        (tmp_path / name).write_text(text)
    files["zipped"] = tmp_path / "zipped.jsonl.gz"
    files["zipped"].write_bytes(b"no gzip")
    with pytest.raises(RaifError, match=said):
        load_tasks(spec.format(**files))
