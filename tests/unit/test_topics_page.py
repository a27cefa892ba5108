"""The page of topics names every topic there is, with its partitions and cleanup."""

from __future__ import annotations

import re
from pathlib import Path

from stream_app.settings import Settings
from stream_app.topics import specs_of

PAGE = (Path(__file__).parents[2] / "docs/reference/topics.md").read_text()


def rows() -> dict[str, tuple[str, str]]:
    found = {}
    for names, partitions, cleanup in re.findall(r"^\| (`.*?`) \| (.*?) \| (\w+) \|", PAGE, flags=re.MULTILINE):
        found.update(dict.fromkeys(re.findall(r"`(.+?)`", names), (partitions, cleanup)))
    return found


def test_the_page_of_topics_is_in_step_with_what_is_created() -> None:
    expected = {
        spec.name: ("any; made with 4" if not spec.ours else "P" if spec.partitions > 1 else "1", spec.config["cleanup.policy"])
        for spec in specs_of(Settings())
    }
    assert rows() == expected
