"""JMESPath expressions, compiled once.

What most mappings are made of (paths, comparisons with a constant or a list of texts, ``&&``, ``||``, ``!``) becomes Python closures,
some twenty times as fast as the library; everything else is left to the library. A property test holds both to the same results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser

from stream_app.mapping.bounds import Node, check, evaluate

Evaluate = Callable[[Any], Any]
"""A decoded message to the value of an expression. May raise anything: types that do not fit, or bounds."""

Path = tuple[str, ...]
"""Names of members, from the outside in."""

LENGTH_CAP = 2_000


@dataclass(frozen=True, slots=True)
class Expression:
    """``is_constant``: the same whatever the message is, such as ``'phone'``.

    ``guard``: a path and a text that must be equal, or the expression is false and nothing else of it is looked at.
    """

    text: str
    value: Evaluate
    is_constant: bool
    guard: tuple[Path, str] | None = None


def compile_expression(text: str) -> Expression:
    """Raises ``ValueError`` whose message completes the sentence "<key> …"."""
    if len(text) > LENGTH_CAP:
        raise ValueError(f"has {len(text)} characters; the most is {LENGTH_CAP}")
    try:
        node = Parser().parse(text).parsed
        check(node)
    except JMESPathError as error:
        raise ValueError(f"is no JMESPath expression: {_one_line(error)}") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    return Expression(text, _compiled(node), node["type"] == "literal", _guard(node))


def is_false(value: object) -> bool:
    """What JMESPath takes for false. Zero is true."""
    return value is None or value is False or (value is not True and value in ("", [], {}))


def find(path: Path, value: Any) -> Any:
    """What stands at the path; None where it leads nowhere."""
    for name in path:
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value


def _guard(node: Node) -> tuple[Path, str] | None:
    """Of the first condition that is looked at."""
    while node["type"] == "and_expression":
        node = node["children"][0]
    if node["type"] != "comparator" or node["value"] != "eq":
        return None
    path, constant = node["children"]
    names = _names(path)
    return (names, constant["value"]) if names and constant["type"] == "literal" and isinstance(constant["value"], str) else None


def _names(node: Node) -> Path:
    """The path that the node is; empty if it is something else."""
    steps = node["children"] if node["type"] == "subexpression" else [node]
    return tuple(step["value"] for step in steps) if all(step["type"] == "field" for step in steps) else ()


def _one_line(error: JMESPathError) -> str:
    """Without the picture of the expression below it: a problem is one line."""
    return str(error).splitlines()[0].removeprefix("Invalid jmespath expression: ").removesuffix(":")


def _compiled(node: Node) -> Evaluate:
    build = _BUILDERS.get(node["type"])
    built = build(node) if build is not None else None
    return built if built is not None else lambda value: evaluate(node, value)


def _field(node: Node) -> Evaluate:
    name = node["value"]
    return lambda value: value.get(name) if type(value) is dict else None


def _index(node: Node) -> Evaluate:
    at = node["value"]
    return lambda value: value[at] if type(value) is list and -len(value) <= at < len(value) else None


def _itself(_node: Node) -> Evaluate:
    return lambda value: value


def _literal(node: Node) -> Evaluate:
    constant = node["value"]
    return lambda _value: constant


def _chain(node: Node) -> Evaluate:
    """Each step on the result of the one before it."""
    if names := _names(node):
        return partial(find, names)
    steps = [_compiled(child) for child in node["children"]]

    def chain(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return chain


def _comparison(node: Node) -> Evaluate | None:
    """``==`` and ``!=`` with a constant; None for the others, which are the library's."""
    one, other = node["children"]
    constants = [child["value"] for child in (one, other) if child["type"] == "literal"]
    if node["value"] not in {"eq", "ne"} or len(constants) != 1 or isinstance(constants[0], list | Mapping):
        return None
    given = _compiled(other if one["type"] == "literal" else one)
    equals = _equals(constants[0])
    if node["value"] == "eq":
        return lambda value: equals(given(value))
    return lambda value: not equals(given(value))


def _equals(constant: object) -> Evaluate:
    """A truth value equals itself only, not 0 or 1 as in Python."""
    if constant is None or isinstance(constant, bool):
        return lambda value: value is constant
    if isinstance(constant, str):
        return lambda value: value == constant
    return lambda value: type(value) is not bool and value == constant


def _and(node: Node) -> Evaluate:
    one, other = map(_compiled, node["children"])

    def both(value: Any) -> Any:
        found = one(value)
        return found if is_false(found) else other(value)

    return both


def _or(node: Node) -> Evaluate:
    one, other = map(_compiled, node["children"])

    def either(value: Any) -> Any:
        found = one(value)
        return other(value) if is_false(found) else found

    return either


def _not(node: Node) -> Evaluate:
    given = _compiled(node["children"][0])
    return lambda value: is_false(given(value))


def _function(node: Node) -> Evaluate | None:
    return _one_of(node) if node["value"] == "contains" else _text_test(node)


def _one_of(node: Node) -> Evaluate | None:
    """``contains`` of a list of texts that stands in the expression; of no message there is no list, which the library refuses."""
    among, given = node["children"]
    texts = [child.get("value") for child in among["children"] if child["type"] == "literal"]
    if among["type"] != "multi_select_list" or len(texts) != len(among["children"]) or not all(isinstance(text, str) for text in texts):
        return None
    found = _compiled(given)
    return lambda value: found(value) in texts if value is not None else evaluate(node, value)


def _text_test(node: Node) -> Evaluate | None:
    """``starts_with`` and ``ends_with`` a constant; what is no text is left to the library, which refuses it."""
    test = _TEXT_TESTS.get(node["value"])
    if test is None or node["children"][1]["type"] != "literal" or not isinstance(node["children"][1]["value"], str):
        return None
    given, constant = _compiled(node["children"][0]), node["children"][1]["value"]

    def tested(value: Any) -> Any:
        found = given(value)
        return test(found, constant) if type(found) is str else evaluate(node, value)

    return tested


_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {"starts_with": str.startswith, "ends_with": str.endswith}

_BUILDERS: dict[str, Callable[[Node], Evaluate | None]] = {
    "field": _field,
    "index": _index,
    "current": _itself,
    "identity": _itself,
    "literal": _literal,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "comparator": _comparison,
    "and_expression": _and,
    "or_expression": _or,
    "not_expression": _not,
    "function_expression": _function,
}
