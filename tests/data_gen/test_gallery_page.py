"""The gallery page is what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

from data_gen.config import load_yaml, parse_config
from data_gen.gallery import gallery

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_page_is_up_to_date() -> None:
    config = parse_config(load_yaml(REPOSITORY / "recipes" / "data" / "default.yaml"), "default.yaml")
    page = (REPOSITORY / "data_gen" / "README.md").read_text(encoding="utf-8")
    assert page == gallery(config), "run: python -m data_gen gallery > data_gen/README.md"


def test_the_prompt_in_the_readme_is_one_of_them() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```text\n.*?```", text[text.index("## Make instructions") :], re.DOTALL)
    assert shown is not None
    assert shown[0] in (REPOSITORY / "data_gen" / "README.md").read_text(encoding="utf-8")
