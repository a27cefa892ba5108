"""The page of topics is in step with what is created, and complete."""

from __future__ import annotations

import re
from pathlib import Path

from stream_app.settings import Settings
from stream_app.topics import specs_of
from stream_app.topics_reference import WORDS, in_step

PAGE = (Path(__file__).parents[2] / "docs/reference/topics.md").read_text()


def test_the_page_of_topics_is_in_step() -> None:
    assert in_step(PAGE) == PAGE, "run: make reference"


def test_the_page_names_every_topic_once() -> None:
    assert sorted(re.findall(r"^\| `(.+?)`", PAGE, flags=re.MULTILINE)) == sorted(spec.name for spec in specs_of(Settings()))


def test_no_words_are_left_of_a_topic_that_is_gone() -> None:
    assert {f"deskpulse.{name}" for name in WORDS} == {spec.name for spec in specs_of(Settings()) if spec.ours}
