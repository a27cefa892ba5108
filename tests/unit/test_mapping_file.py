"""A mapping file: every mistake is named with its line, its key and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_app.mapping.file import parse_rules, read_rules
from stream_app.settings import SettingsError
from tests.support.mappings import problems_of

RULE = '[[rules]]\n[[rules.emit]]\ntype = "contact.opened"\ncase_id = "id"\noccurred_at = "at"\n'
"""Five lines; what is added stands on the sixth."""


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("", "m.toml:1: rules", "is missing: write [[rules]]"),
        ("rules = 3", "m.toml:1: rules", "is missing: write [[rules]]"),
        ("[rules]\nignore = true", "m.toml:1: rules", "is missing: write [[rules]]"),
        ("[[rules]]\nignore = tru", "m.toml:2", "not valid TOML"),
        ('timezone = "UTC"\n' + RULE, "m.toml:1: timezone", "unknown key. Did you mean `time_zone`?"),
        ('time_zone = "Europe/Berln"\n' + RULE, "m.toml:1: time_zone", "Did you mean `Europe/Berlin`?"),
        ("time_zone = 1\n" + RULE, "m.toml:1: time_zone", "must be text in quotation marks"),
        ('time_format = "epoch_second"\n' + RULE, "m.toml:1: time_format", "Did you mean `epoch_seconds`?"),
        ("time_format = 1\n" + RULE, "m.toml:1: time_format", "must be text in quotation marks"),
        ('[[rules]]\nwhen = "a"\ntime_format = "%d.%m.%Y"\nignore = true', "m.toml:3: rules.time_format", "say with time_zone"),
        ("tables = 3\n" + RULE, "m.toml:1: tables", "is a section: write [tables]"),
        ("[tables]\npriority = 3\n" + RULE, "m.toml:2: tables.priority", "write [tables.priority]"),
        ('[defaults]\nqeue = "a"\n' + RULE, "m.toml:2: defaults.qeue", "Did you mean `queue`?"),
        ('[defaults]\ntype = "case.closed"\n' + RULE, "m.toml:2: defaults.type", "unknown key"),
        ('[defaults]\nqueue = "a ="\n' + RULE, "m.toml:2: defaults.queue", "is no JMESPath expression"),
        ('[[rules]]\nwhen = "kind ="\nignore = true', "m.toml:2: rules.when", "is no JMESPath expression"),
        ("[[rules]]\nwhen = 1\nignore = true", "m.toml:2: rules.when", "must be text in quotation marks"),
        ('[[rules]]\nignore = true\n[[rules]]\nwhem = "a"\nignore = true', "m.toml:4: rules.whem", "Did you mean `when`?"),
        ('[[rules]]\nignore = true\n[[rules]]\nwhen = "a"', "m.toml:3: rules", "needs either [[rules.emit]] or ignore = true"),
        (RULE.replace("[[rules]]", "[[rules]]\nignore = true"), "m.toml:1: rules", "needs either"),
        ('[[rules]]\neach = "a"\nignore = true', "m.toml:2: rules.each", "makes no sense with ignore"),
        ("[[rules]]\nemit = 3", "m.toml:2: rules.emit", "must hold events"),
        ("[[rules]]\nemit = []", "m.toml:2: rules.emit", "must hold events"),
        ("[[rules]]\nemit = [3]", "m.toml:2: rules.emit", "must hold events"),
        (RULE.replace("opened", "opend"), "m.toml:3: rules.emit.type", 'is "contact.opend", which is no type of event. Did you mean `contact.opened`?'),
        ('[[rules]]\n[[rules.emit]]\ncase_id = "id"', "m.toml:2: rules.emit.type", "is missing: the event's type in plain text"),
        (RULE + 'queu = "a"', "m.toml:6: rules.emit.queu", "is no field of contact.opened. Did you mean `queue`?"),
        (RULE + 'to_queue = "a"', "m.toml:6: rules.emit.to_queue", "is no field of contact.opened"),
        (RULE + "schema = 1", "m.toml:6: rules.emit.schema", "is no field of contact.opened"),
        (RULE.replace('case_id = "id"', ""), "m.toml:2: rules.emit", "contact.opened needs case_id or contact_id"),
        (RULE.replace('occurred_at = "at"', ""), "m.toml:2: rules.emit", "contact.opened needs occurred_at"),
        (RULE.replace("contact.opened", "contact.answered"), "m.toml:2: rules.emit", "contact.answered needs representative_id"),
        (RULE.replace("contact.opened", "contact.recorded"), "m.toml:2: rules.emit", "contact.recorded needs opened_at"),
        ('[[rules]]\nemit = { type = "source.progress" }', "m.toml:2: rules.emit", "source.progress needs up_to"),
        (RULE + 'complaint = "yes ="', "m.toml:6: rules.emit.complaint", "is no JMESPath expression"),
        (RULE + "queue = 3", "m.toml:6: rules.emit.queue", "can not be 3: Expected `str`, got `int`"),
        (RULE + "flags = ['spam', 'vip']", "m.toml:6: rules.emit.flags", "Invalid enum value 'vip'"),
        (RULE.replace("contact.opened", "case.status_changed") + "status = \"'opn'\"", "m.toml:6: rules.emit.status", "can not be 'opn'"),
        (RULE.replace('"at"', "5"), "m.toml:5: rules.emit.occurred_at", "must be an expression in quotation marks"),
        (RULE + 'queue = { form = "a" }', "m.toml:6: rules.emit.queue.form", "Did you mean `from`?"),
        (RULE + 'queue = { table = "a" }', "m.toml:6: rules.emit.queue", "needs `from`"),
        (RULE + 'queue = { from = "a", table = "q" }', "m.toml:6: rules.emit.queue", "has no table [tables.q] to look in"),
        ('[tables.prio]\na = "b"\n' + RULE + 'queue = { from = "a", table = "pro" }', "m.toml:8: rules.emit.queue", "Did you mean `prio`?"),
        (RULE + 'queue = { from = "a", table = { b = 3 } }', "m.toml:6: rules.emit.queue", "can not be 3"),
        (RULE + 'queue = { from = "a", default = 3 }', "m.toml:6: rules.emit.queue", "can not be 3"),
        (RULE + 'queue = { from = "a", divide_by = 10 }', "m.toml:6: rules.emit.queue", "only where it is a number"),
        (RULE.replace("opened", "ended") + 'talk_s = { from = "a", divide_by = 0 }', "m.toml:6: rules.emit.talk_s", "above 0"),
        (RULE.replace("opened", "ended") + 'talk_s = { from = "a", divide_by = true }', "m.toml:6: rules.emit.talk_s", "above 0"),
        (RULE + 'due = "a"', "m.toml:6: rules.emit.due", "write due.first_reply"),
        (RULE + 'due.resolutoin = "a"', "m.toml:6: rules.emit.due.resolutoin", "Did you mean `resolution`?"),
        (RULE + 'due.resolution = { from = "a", default = 5 }', "m.toml:6: rules.emit.due.resolution", "no table and no default"),
        (RULE.replace("[[rules]]", "[[rules]]\nignore = 1"), "m.toml:2: rules.ignore", "must be true or false"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_key_and_remedy(text: str, where: str, words: str) -> None:
    found = problems_of(text)
    assert any(problem.startswith(f"{where}: ") and words in problem for problem in found), found


def test_all_problems_are_named_at_once_in_the_order_of_the_file_and_each_once() -> None:
    found = problems_of('[defaults]\nqueue = "a ="\n' + RULE + RULE + '[[rules]]\nwhen = "b ="')
    assert [problem.split(": ")[0] for problem in found] == ["m.toml:2", "m.toml:13", "m.toml:14"]


@pytest.mark.parametrize(
    "emit",
    [
        'type = "survey.responded", survey_id = "s", kind = "\'csat\'", score = "n", route = "r"',
        'type = "message.representative", case_id = "c", agent_id = "a", public = true',
        'type = "case.resolved", contact_id = "c"',
        'type = "commitment.made", case_id = "c", commitment_id = "m", kind = "\'eta\'", promised_for = "p"',
    ],
)
def test_what_the_contract_lets_stand_in_for_a_field_does_so_here(emit: str) -> None:
    parse_rules(f'[[rules]]\nemit = {{ {emit}, occurred_at = "at" }}', "m.toml")


def test_a_sources_own_progress_can_be_mapped() -> None:
    (event,) = parse_rules('[[rules]]\nemit = { type = "source.progress", up_to = "until" }', "m.toml").events({"until": 5})
    assert (event["type"], event["up_to"]) == ("source.progress", 5)


def test_an_events_rule_says_how_its_times_are_written_and_the_file_for_all_others() -> None:
    rules = parse_rules(
        'time_format = "%Y-%m-%d"\ntime_zone = "Europe/Berlin"\n' + RULE + RULE.replace("[[rules]]", '[[rules]]\ntime_zone = "UTC"'),
        "m.toml",
    )
    first, second = rules.events({"id": 1, "at": "2026-03-02"})
    assert second["occurred_at"] - first["occurred_at"] == 3_600_000


def test_files_that_can_not_be_read_say_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"m\.toml: can not be read \(No such file or directory\)"):
        read_rules(tmp_path / "m.toml")
    (tmp_path / "m.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        read_rules(tmp_path / "m.toml")
