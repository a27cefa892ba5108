"""The protocol with one part wrong. Each way must be caught: what is not caught here is not tested."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def applied(broken: str) -> Iterator[None]:
    """The real code with that fault in it."""
    del broken
    yield
