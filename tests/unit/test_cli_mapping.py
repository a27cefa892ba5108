"""``deskpulse mapping try``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stream_app.cli import main
from stream_app.mapping.trial import messages_in

MAPPING = """[[rules]]
when = "kind == 'new'"
[[rules.emit]]
type = "contact.opened"
case_id = "ticket.id"
occurred_at = "ticket.at"
priority = { from = "ticket.prio", table = { P1 = "urgent", P2 = "normal" } }

[[rules]]
when = "kind == 'until'"
emit = { type = "source.progress", up_to = "ticket.at" }

[[rules]]
when = "kind == 'typing'"
ignore = true
"""
NEW = '{"kind": "new", "ticket": {"id": 7, "prio": "P1", "at": "2026-03-02T09:14:05Z"}}\n'
SAMPLES = NEW + '\n{"kind": "typing"}\n{"kind": "until", "ticket": {"at": 1772442845000}}\n'


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DESKPULSE_CONFIG", raising=False)
    Path("tickets.toml").write_text(MAPPING)
    Path("samples.jsonl").write_text(SAMPLES)


def tried(*arguments: str, samples: str = SAMPLES) -> Result:
    Path("samples.jsonl").write_text(samples)
    return CliRunner().invoke(main, ["mapping", "try", "samples.jsonl", *arguments])


def test_each_message_is_shown_with_the_rule_that_held_and_the_events_it_becomes() -> None:
    shown = tried("--mapping", "tickets.toml")
    assert shown.exit_code == 0
    assert [line for line in shown.stdout.splitlines() if "event_id" not in line] == [
        "message 1: mapped by tickets.toml:1",
        "  contact.opened",
        "    occurred_at          2026-03-02T09:14:05.000Z",
        "    case_id              7",
        "    contact_id           7",
        "    priority             urgent",
        "message 2: ignored by tickets.toml:13",
        "message 3: mapped by tickets.toml:9",
        "  source.progress",
        "    up_to                2026-03-02T09:14:05.000Z",
        "",
        "2 mapped to 2 events, 1 ignored, 0 refused",
    ]


def test_a_refused_message_is_shown_with_its_reason_and_makes_exit_code_1() -> None:
    shown = tried("--mapping", "tickets.toml", samples=NEW + NEW.replace("P1", "P9") + '{"kind": "' + "x" * 200 + '"}\nplain\n')
    assert shown.exit_code == 1
    assert '  ✗ invalid_field: priority: tickets.toml:3: "P9" is not in its table, which has no default\n    {"kind": "new"' in shown.stdout
    assert "  ✗ unmapped: no rule of tickets.toml holds\n" in shown.stdout
    assert f'    {{"kind": "{"x" * 90}…\n' in shown.stdout
    assert "  ✗ not_json: " in shown.stdout
    assert shown.stdout.endswith("1 mapped to 1 events, 0 ignored, 3 refused\n")


def test_json_has_one_object_for_each_message() -> None:
    shown = tried("--mapping", "tickets.toml", "--json", samples=SAMPLES + "plain")
    assert shown.exit_code == 1
    mapped, ignored, until, refused = json.loads(shown.stdout)
    assert (mapped["verdict"], mapped["rules"], mapped["events"][0]["priority"]) == ("mapped", ["tickets.toml:1"], "urgent")
    assert ignored == {"verdict": "ignored", "rules": ["tickets.toml:13"], "events": []}
    assert until["events"] == [{"type": "source.progress", "up_to": "2026-03-02T09:14:05.000Z"}]
    assert (refused["verdict"], refused["reason"], refused["events"]) == ("refused", "not_json", [])


def test_samples_can_come_from_standard_input() -> None:
    shown = CliRunner().invoke(main, ["mapping", "try", "-", "--mapping", "tickets.toml"], input=NEW)
    assert "message 1: mapped by tickets.toml:1" in shown.stdout


def test_the_only_mapping_that_is_configured_is_used_or_the_one_of_the_input_that_is_named() -> None:
    Path("deskpulse.toml").write_text('[inputs.contacts]\ntopic = "crm.tickets"\nmapping = "tickets.toml"\n')
    for arguments in ([], ["--topic", "contacts"], ["--topic", "crm.tickets"]):
        assert "message 1: mapped by tickets.toml:1" in tried(*arguments).stdout
    assert "say with --topic which mapping to use: contacts" in tried("--topic", "surveys").stderr
    Path("deskpulse.toml").write_text("".join(f'[inputs.{name}]\nmapping = "tickets.toml"\n' for name in ("contacts", "surveys")))
    refused = tried()
    assert (refused.exit_code, "which mapping to use: contacts, surveys" in refused.stderr) == (1, True)


def test_without_any_mapping_it_says_how_to_name_one() -> None:
    refused = tried()
    assert (refused.exit_code, "use --mapping FILE" in refused.stderr) == (1, True)


@pytest.mark.parametrize("arguments", [["--mapping", "tickets.toml"], []])
def test_a_broken_mapping_is_refused_with_2_and_the_line(arguments: list[str]) -> None:
    Path("deskpulse.toml").write_text('[inputs.contacts]\nmapping = "tickets.toml"\n')
    Path("tickets.toml").write_text(MAPPING.replace("kind == 'new'", "kind = 'new'"))
    refused = tried(*arguments)
    assert refused.exit_code == 2
    assert "✗ tickets.toml:2: rules.when: is no JMESPath expression" in refused.stderr


def test_help_teaches_with_an_example_that_works() -> None:
    shown = CliRunner().invoke(main, ["mapping", "try", "--help"]).output
    assert NEW.strip() in shown
    _, _, example = shown.partition("tickets.toml says what it means\n")
    mapping = "\n".join(line.strip() for line in example.partition("\n\n")[0].splitlines())
    Path("tickets.toml").write_text(mapping)
    said = shown.partition("--mapping tickets.toml\n")[2].partition("…")[0]
    expected = [line.strip() for line in said.splitlines() if line.strip()]
    printed = [line.strip() for line in tried("--mapping", "tickets.toml", samples=NEW).stdout.splitlines()]
    assert [line for line in expected if line not in printed] == []


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        (b"", []),
        (b"\n\n", []),
        (b'{"a": 1}\n\n {"b": 2}\r\nplain\n', [b'{"a": 1}', b' {"b": 2}', b"plain"]),
        (b'[{"a": 1},\n {"b": 2}]', [b'{"a": 1}', b'{"b": 2}']),
        (b'{\n  "a": 1\n}\n', [b'{\n  "a": 1\n}']),
        (b'[{"a": 1}]\n[{"b": 2}]', [b'[{"a": 1}]', b'[{"b": 2}]']),
        (b"\x00\x01", [b"\x00\x01"]),
    ],
)
def test_a_file_holds_messages_by_line_or_in_an_array_or_one_over_several_lines(content: bytes, messages: list[bytes]) -> None:
    assert messages_in(content) == messages
