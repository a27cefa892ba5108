"""A pane: a mapping from key to integer, a free abelian group. An entry of zero does not exist."""

from __future__ import annotations

from typing import Final

Pane = dict[str, int]
Nested = dict[str, "int | dict[str, int]"]


class _Parts(dict[str, tuple[str, str]]):
    """The two parts of each key that was ever seen: keys are few (names x buckets), panes are many."""

    def __missing__(self, key: str) -> tuple[str, str]:
        name, _, part = key.rpartition(":")
        parts = self[key] = (name, part) if name else (key, "")
        return parts


_parts: Final = _Parts()


def split(key: str) -> tuple[str, str]:
    """Name and part: ``a`` gives ``("a", "")``, ``a:b`` ``("a", "b")``, ``a:b:c`` ``("a:b", "c")``."""
    return _parts[key]


def merge(into: Pane, other: Pane) -> None:
    """Add ``other`` to ``into`` in place."""
    if not into:
        into.update(other)
        return
    for key, amount in other.items():
        total = into.get(key, 0) + amount
        if total:
            into[key] = total
        else:
            into.pop(key, None)


def remove(out_of: Pane, other: Pane) -> None:
    """Subtract ``other`` from ``out_of`` in place."""
    for key, amount in other.items():
        total = out_of.get(key, 0) - amount
        if total:
            out_of[key] = total
        else:
            out_of.pop(key, None)


def nested(pane: Pane) -> Nested:
    """Entries by name: ``a`` stays a number, ``a:b`` becomes ``{"a": {"b": …}}``, ``a:b:c`` ``{"a:b": {"c": …}}``."""
    result: Nested = {}
    for key, amount in pane.items():
        name, part = _parts[key]
        if not part:
            result[name] = amount
            continue
        inner = result.get(name)
        if isinstance(inner, dict):
            inner[part] = amount
        else:
            result[name] = {part: amount}
    return result


def merge_nested(into: Nested, other: Pane) -> None:
    """Add ``other`` in place to what `nested` has made: the same as `nested` of the merged pane."""
    for key, amount in other.items():
        _add_nested(into, key, amount)


def remove_nested(out_of: Nested, other: Pane) -> None:
    """Subtract ``other`` in place from what `nested` has made."""
    for key, amount in other.items():
        _add_nested(out_of, key, -amount)


def _add_nested(into: Nested, key: str, amount: int) -> None:
    name, part = _parts[key]
    found = into.get(name)
    if not part:
        total = (found if isinstance(found, int) else 0) + amount
        if total:
            into[name] = total
        else:
            into.pop(name, None)
    elif isinstance(found, dict):
        total = found.get(part, 0) + amount
        if total:
            found[part] = total
        else:
            found.pop(part, None)
            if not found:
                del into[name]
    else:
        into[name] = {part: amount}


def names(pane: Pane) -> set[str]:
    """The names that `nested` would give."""
    return {_parts[key][0] for key in pane}
