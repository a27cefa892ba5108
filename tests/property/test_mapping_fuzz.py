"""Whatever a message is, a mapping gives events that the log can hold or raises its own error; compiled expressions are JMESPath."""

from __future__ import annotations

from typing import Any

import jmespath
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.events.rejection import REASONS, RejectedError
from stream_app.mapping.expressions import compile_expression
from stream_app.mapping.file import parse_rules
from stream_app.mapping.rules import Rules
from stream_app.mapping.source import source_mapping
from stream_app.wire.canonical import decode_event, encode
from tests.property.test_decoder_fuzz import values
from tests.support.input_records import NOW
from tests.support.mappings import page_blocks

NAMES = ("a", "b", "kind")
PAGES = ("map-your-events.md", "map-zendesk.md", "map-servicenow.md", "map-genesys.md", "map-freshdesk.md")
MAPPINGS = {page: page_blocks(page, "toml")[0] for page in PAGES}
SAMPLES = {page: [msgspec.json.decode(line) for line in page_blocks(page, "jsonl")[0].splitlines()] for page in PAGES}
STRANGE = """
[[rules]]
when = "join('', [to_string(a), to_string(b)])"
each = "values(@)"
time_format = "epoch_seconds"
[[rules.emit]]
type = "contact.opened"
case_id = "item || a"
occurred_at = "b || item"
queue = { from = "item", table = { x = "y" }, default = "z" }
flags = "item"
due.resolution = "item"
[[rules]]
when = "a > b || sort(b)"
[[rules.emit]]
type = "contact.ended"
contact_id = "max_by(a, &b)"
occurred_at = "a"
event_id = "b"
talk_s = { from = "a", divide_by = 0.001 }
"""
RULES = {name: parse_rules(text, name) for name, text in {**MAPPINGS, "strange": STRANGE}.items()}
documents = st.recursive(values, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, max_size=3), max_leaves=8)


def check(rules: Rules, content: bytes) -> None:
    mapping = source_mapping(rules)
    try:
        accepted = mapping(content, NOW, "contacts-0@1")
    except RejectedError as error:
        if error.reason not in REASONS:
            raise
        return
    ids = [event.event_id for each in accepted for event in each.events]
    assert len(set(ids)) == len(ids)
    for each in accepted:
        for event in each.events:
            assert decode_event(encode(event)) == event
    assert mapping(content, NOW, "contacts-0@1") == accepted


@given(st.sampled_from(sorted(RULES)), st.binary(max_size=100))
def test_any_bytes(name: str, content: bytes) -> None:
    check(RULES[name], content)


@given(st.sampled_from(sorted(RULES)), documents)
def test_any_json(name: str, document: object) -> None:
    check(RULES[name], msgspec.json.encode(document))


@given(st.sampled_from(PAGES), st.data())
def test_a_real_message_with_something_else_in_one_place(page: str, data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(SAMPLES[page]))
    check(RULES[page], msgspec.json.encode(_damaged(message, data)))


def _damaged(message: object, data: st.DataObject) -> object:
    """Another value somewhere: the deeper, the likelier."""
    if not isinstance(message, dict) or not message or data.draw(st.integers(0, 4)) == 0:
        return data.draw(values)
    name = data.draw(st.sampled_from(sorted(message)))
    return {**message, name: _damaged(message[name], data)}


paths = st.lists(st.sampled_from([*NAMES, "a[0]", "b[-1]"]), min_size=1, max_size=3).map(".".join)
literals = st.sampled_from(["'x'", "''", "`0`", "`1`", "`true`", "`false`", "`null`", "`[]`", "@"])
comparisons = st.builds("{} {} {}".format, paths | literals, st.sampled_from(["==", "!=", "<"]), paths | literals)
tests = st.builds("{}({}, {})".format, st.sampled_from(["starts_with", "ends_with"]), paths, st.sampled_from(["'x'", "a"]))
listed = st.lists(st.sampled_from(["'x'", "''", "'1'", "`1`", "a"]), min_size=1, max_size=3).map(", ".join)
choices = st.builds("contains([{}], {})".format, listed, paths | literals)
expressions = st.recursive(
    paths | literals | comparisons | tests | choices,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||", "|"]), inner) | st.builds("!({})".format, inner),
    max_leaves=6,
)
small = st.recursive(
    st.sampled_from(["x", "", 0, 1, True, False, None, 1.0]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
)


def outcome(find: Any, document: object) -> tuple[object, str]:
    try:
        found = find(document)
    except Exception as error:
        return None, type(error).__name__
    return found, type(found).__name__


@given(expressions, small)
def test_a_compiled_expression_does_what_the_library_does(text: str, document: object) -> None:
    assert outcome(compile_expression(text).value, document) == outcome(jmespath.compile(text).search, document)


@given(st.lists(st.builds("{} {} 'x'".format, paths, st.sampled_from(["==", "!="])) | paths, min_size=1, max_size=5), small)
def test_rules_found_by_what_they_look_at_first_are_those_that_hold(conditions: list[str], document: object) -> None:
    written = "".join(
        f'[[rules]]\nwhen = "{when}"\nemit = {{ type = "case.closed", case_id = "\'{number}\'", occurred_at = "`1`" }}\n'
        for number, when in enumerate(conditions)
    )
    rules = parse_rules(written, "m.toml")
    holding = [event["case_id"] for rule in rules.rules for event in rule.events(document) or ()]
    try:
        found = [event["case_id"] for event in rules.events(document)]
    except RejectedError:
        found = []
    assert found == holding
