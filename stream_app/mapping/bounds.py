"""JMESPath's own interpreter, within bounds: no message and no expression takes more than a moment or much memory.

An expression can multiply what it reads (``[@, @]``, again and again), which is refused before it runs; long lists cost
steps, which are counted; two functions can make long texts, whose length is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

from stream_app.settings.problems import suggestion

Node = Mapping[str, Any]
"""Of the syntax tree: ``type``, ``children`` and often a ``value``."""

STEPS_CAP = 100_000
"""Nodes visited for one value: about 0.1 s."""
GROWTH_CAP = 64
"""How many times as large as its input a result may become."""
TEXT_CAP = 1_000_000
"""Characters in a text that is put together."""

_MULTIPLYING = ("multi_select_list", "multi_select_dict")


class BoundsError(Exception):
    """The message makes this expression too expensive. Never retry: dead-letter the message."""


class _BoundedFunctions(Functions):  # type: ignore[misc]
    """The functions of JMESPath, with the length of what they make looked at."""

    @signature({"types": ["string"]}, {"types": ["array-string"]})  # type: ignore[untyped-decorator]
    def _func_join(self, separator: str, array: Sequence[str]) -> str:
        _check_length(len(separator) * len(array) + sum(map(len, array)))
        return separator.join(array)

    @signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_string(self, value: object) -> str:
        text: str = super()._func_to_string(value)
        _check_length(len(text))
        return text


def _check_length(length: int) -> None:
    if length > TEXT_CAP:
        raise BoundsError(f"makes a text of more than {TEXT_CAP} characters")


class _BoundedInterpreter(TreeInterpreter):  # type: ignore[misc]
    """Counts its steps."""

    def __init__(self) -> None:
        super().__init__(Options(custom_functions=_BoundedFunctions()))
        self._steps = 0

    def evaluate(self, node: Node, value: object) -> Any:
        self._steps = 0
        return self.visit(node, value)

    def visit(self, node: Node, *args: Any, **kwargs: Any) -> Any:
        self._steps += 1
        if self._steps > STEPS_CAP:
            raise BoundsError(f"takes more than {STEPS_CAP} steps")
        return super().visit(node, *args, **kwargs)


_interpreter = _BoundedInterpreter()


def evaluate(node: Node, value: object) -> Any:
    """What JMESPath makes of ``value``. Raises ``BoundsError``, and JMESPath's own errors where types do not fit."""
    return _interpreter.evaluate(node, value)


def check(node: Node) -> None:
    """Raises ``ValueError`` where an expression could never work, or without bounds."""
    _check_node(node, is_argument=False)
    if growth(node) > GROWTH_CAP:
        raise ValueError(f"can make its input more than {GROWTH_CAP} times as large: select less, or in fewer stages")


def growth(node: Node) -> int:
    """How many times as large as its input a result can be, at most."""
    factors = [growth(child) for child in _children(node)]
    if node["type"] in _MULTIPLYING:
        return sum(factors) or 1
    product = 1
    for factor in factors:
        product *= factor
    return product


def _check_node(node: Node, *, is_argument: bool) -> None:
    is_function = node["type"] == "function_expression"
    if is_function:
        _check_function(node["value"], len(node["children"]))
    if node["type"] == "subexpression" and node["children"][0]["type"] == "not_expression":
        raise ValueError("has a ! in front of a path, which JMESPath takes for (!a).b: write !(a.b)")
    if node["type"] == "expref" and not is_argument:
        raise ValueError("has a & outside of the arguments of a function")
    for child in _children(node):
        _check_node(child, is_argument=is_function)


def _check_function(name: str, arguments: int) -> None:
    known = _BoundedFunctions.FUNCTION_TABLE
    if name not in known:
        raise ValueError(f"has no function `{name}`.{suggestion(name, known)}")
    wanted = known[name]["signature"]
    variadic = bool(wanted) and bool(wanted[-1].get("variadic"))
    if arguments < len(wanted) or (arguments > len(wanted) and not variadic):
        raise ValueError(f"gives `{name}` {arguments} arguments; it takes {len(wanted)}{' or more' if variadic else ''}")


def _children(node: Node) -> list[Node]:
    return [child for child in node["children"] if isinstance(child, Mapping)]
