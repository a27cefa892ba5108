"""How a page is carried out: which blocks it may have, and when what it shows counts as printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.walkthrough import Block, Walkthrough, blocks_of, missing_lines


def test_a_page_is_commands_with_what_they_print_terminals_and_files() -> None:
    page = '```sh\nls\n```\n\nshows\n\n```text\na\nb\n```\n\n```sh title="second terminal"\nserve\n```\n\n```toml title="a.toml"\nx = 1\n```\n'
    assert blocks_of(page) == [
        Block("sh", "", "ls\n", ("a", "b")),
        Block("sh", "second terminal", "serve\n"),
        Block("toml", "a.toml", "x = 1\n"),
    ]


@pytest.mark.parametrize("block", ["```toml\nx = 1\n```\n", "```text\nprinted by whom?\n```\n"])
def test_a_block_that_would_not_be_tried_is_refused(block: str) -> None:
    with pytest.raises(ValueError, match="neither commands"):
        blocks_of(block)


def test_a_shown_line_has_to_be_printed_as_a_whole() -> None:
    printed = "KPI      Value\noffered      3\n2 created (in 5 s)\n"
    assert not missing_lines(("offered  3", "", "2 created (in … s)"), printed)
    assert missing_lines(("offered 4", "created", "2 created (in 5… s)"), printed) == ["offered 4", "created"]


def test_commands_that_fail_or_show_something_else_fail_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.walkthrough.PATIENCE_SECONDS", 1.0)
    with Walkthrough(tmp_path, {}, {"there": "here"}) as walkthrough:
        walkthrough.follow(Block("sh", "", "echo there", ("here",)))
        walkthrough.follow(Block("txt", "notes.txt", "from there"))
        with pytest.raises(AssertionError, match=r"^false"):
            walkthrough.follow(Block("sh", "", "false | true"))
        with pytest.raises(AssertionError, match=r"not printed:\nfour\n\nbut:\nthree"):
            walkthrough.follow(Block("sh", "", "echo three", ("four",)))
    assert (tmp_path / "notes.txt").read_text() == "from here"


def test_a_terminal_that_fails_fails_the_walk(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"ended by itself|after Ctrl-C"), Walkthrough(tmp_path, {}, {}) as walkthrough:
        walkthrough.follow(Block("sh", "second terminal", "echo ready; false", ("ready",)))
