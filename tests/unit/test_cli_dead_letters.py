"""``deskpulse dead-letters``: what is refused before any broker is asked, and how letters are put into words."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_app.cli import main
from stream_app.cli.dead_letters import _pretty, _today
from stream_app.cli.dead_letters_replay import _tell
from stream_app.dead_letters.letters import Letter
from stream_app.dead_letters.replaying import Outcome
from tests.support.input_records import message


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DESKPULSE_CONFIG", raising=False)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["replay"], "which ones? Give offsets, --reason, or --all"),
        (["replay", "--all", "--to", "tickets"], "tickets is no input: contacts, resolutions, surveys"),
        (["replay", "--all", "--edit", "sed 's/a"], "No closing quotation"),
        (["replay", "--reason", "bad"], "'bad' is not one of 'empty'"),
        (["replay", "seventeen"], "'seventeen' is not a valid integer"),
        (["list", "--since", "yesterday"], "such as 2026-03-02T09:00:00Z"),
    ],
)
def test_a_command_line_that_cannot_be_meant_is_refused_with_2(words: list[str], complaint: str) -> None:
    refused = CliRunner().invoke(main, ["dead-letters", *words])
    assert (refused.exit_code, complaint in refused.stderr) == (2, True), refused.stderr


@pytest.mark.parametrize("words", [["dead-letters", "list", "--timeout", "0.2"], ["config", "publish", "--timeout", "0.2"]])
def test_without_a_broker_it_says_so_and_exits_with_1(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    failed = CliRunner().invoke(main, words)
    assert (failed.exit_code, "127.0.0.1:1" in failed.stderr, "deskpulse doctor" in failed.stderr) == (1, True, True), failed.stderr


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "no value"),
        (b'{"a":1}', '{\n  "a": 1\n}'),
        (b"{", "{"),
        (b"a\xffb", "a\\xffb"),
        (b"[" * 2_000, "[" * 2_000),
    ],
)
def test_bytes_are_shown_as_json_where_they_are_json(value: bytes | None, shown: str) -> None:
    assert _pretty(value) == shown


@pytest.mark.parametrize(
    ("value", "said", "words"),
    [
        (message(), {}, "the decoder accepts it"),
        (b"", {}, "the decoder refuses it: empty"),
        (b"{", {"original_size": "10"}, "the first 1 of 10 bytes, so nothing can be said"),
    ],
)
def test_what_the_decoder_says_today(value: bytes, said: dict[str, str], words: str) -> None:
    assert _today(Letter(0, 0, None, value, (), said, 10), None) == words


def test_of_many_that_stay_only_some_are_named_and_all_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    _tell(Outcome(sent=3, before=1, left=[(offset, "would be refused: empty") for offset in range(25)]), dry_run=True)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "      0 stays: would be refused: empty"
    assert told[-3:] == ["… and 5 more", "3 would be sent, 25 stay, 1 were replayed before", "     25 would be refused: empty"]
