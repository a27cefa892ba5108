"""Expressions: refused at start if they could never work, bounded while they do, JMESPath in all else."""

from __future__ import annotations

import re
from typing import Any

import jmespath
import pytest

from stream_app.mapping.bounds import BoundsError
from stream_app.mapping.expressions import compile_expression

MESSAGE: dict[str, Any] = {
    "kind": "new", "zero": 0, "one": 1, "yes": True, "no": False, "none": None, "empty": "", "list": [1, {"a": "x"}, "t"],
    "a": {"b": {"c": "deep"}, "d-e": 5}, "people": [{"n": "A", "staff": True}, {"n": "B", "staff": False}],
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "kind", "a.b.c", "a.b.missing.c", "kind.b", 'a."d-e"', "list[0]", "list[-1]", "list[9]", "list[-9]", "kind[0]", "list[1].a", "@", "'text'", "`5`",
        "kind == 'new'", "'new' == kind", "kind != 'new'", "kind == 'old'", "one == `1`", "yes == `1`", "one == `true`", "zero == `false`", "yes == `true`",
        "no == `false`", "none == `null`", "missing != `null`", "list == `[1]`", "one < `2`", "kind > missing", "`1` == `1`", "kind == a.b.c",
        "kind && a.b", "missing && kind", "empty || kind", "zero || kind", "list && zero", "!missing", "!kind", "!zero", "!empty", "!(a.b)", "!yes", "!list",
        "kind == 'new' && a.b.c == 'deep' || no", "people[?staff].n | [0]", "people[*].n", "people[].n", "length(people)", "a.*", "list[1:]",
        "{n: kind, b: a.b}", "[kind, one]", "starts_with(kind, 'n')", "ends_with(kind, 'x')", "starts_with(kind, kind)", "contains(list, 't')",
        "to_string(a)", "join('-', [kind, kind])", "sort_by(people, &n)[0].n", "map(&n, people)", "kind | @", "a | b.c",
    ],
)  # fmt: skip
def test_a_compiled_expression_finds_what_the_library_finds(text: str) -> None:
    found = compile_expression(text).value(MESSAGE)
    assert (type(found), found) == (type(jmespath.search(text, MESSAGE)), jmespath.search(text, MESSAGE))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JMESPath expression"),
        ("a ==", "is no JMESPath expression"),
        ("kind = 'x'", "is no JMESPath expression"),
        ("lenth(a)", "has no function `lenth`. Did you mean `length`?"),
        ("a && length(a, b)", "gives `length` 2 arguments; it takes 1"),
        ("merge()", "gives `merge` 0 arguments; it takes 1 or more"),
        ("&a", "has a & outside of the arguments of a function"),
        ("[&a]", "has a & outside of the arguments of a function"),
        ("!a.b", "write !(a.b)"),
        ("a && !b.c == 'x'", "write !(a.b)"),
        ("a" * 2_001, "has 2001 characters; the most is 2000"),
        ("!" * 1_990 + "a", "is nested too deeply"),
        (" | ".join(["[@, @]"] * 7), "more than 64 times as large"),
        ("map(&[@, @, @, @, @, @, @, @, @], [a, b, c, d, e, f, g, h])", "more than 64 times as large"),
    ],
)
def test_what_could_never_work_is_refused_before_it_runs(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as refused:
        compile_expression(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["join(glue, parts)", "to_string([to_string([wide])])"])
def test_a_text_that_is_put_together_has_a_limit(text: str) -> None:
    message = {"glue": "x" * 10_000, "parts": ["y"] * 1_000, "wide": ['"\\'] * 100_000}
    with pytest.raises(BoundsError, match="more than 1000000 characters"):
        compile_expression(text).value(message)


def test_an_expression_has_a_limit_of_steps_and_begins_anew_with_every_message() -> None:
    expression = compile_expression("list[?a.b == `1`].c")
    for _ in range(30):
        assert expression.value({"list": [{"a": {"b": 1}, "c": 2}] * 1_000}) == [2] * 1_000
    with pytest.raises(BoundsError, match="more than 100000 steps"):
        expression.value({"list": [{"a": {"b": 1}, "c": 2}] * 20_000})


def test_a_constant_is_known_as_one() -> None:
    assert compile_expression("'phone'").is_constant
    assert not compile_expression("phone").is_constant


@pytest.mark.parametrize(
    ("text", "guard"),
    [
        ("type == 'a'", (("type",), "a")),
        ("a.b == 'a' && c && d", (("a", "b"), "a")),
        ("c && type == 'a'", None),
        ("type == 'a' || type == 'b'", None),
        ("type != 'a'", None),
        ("type == `1`", None),
        ("type == other", None),
        ("list[0] == 'a'", None),
        ("@ == 'a'", None),
        ("type", None),
    ],
)
def test_what_an_expression_looks_at_first_is_known(text: str, guard: object) -> None:
    assert compile_expression(text).guard == guard


def test_functions_refuse_types_as_the_library_does() -> None:
    with pytest.raises(jmespath.exceptions.JMESPathTypeError):
        compile_expression("starts_with(missing, 'x')").value({})
