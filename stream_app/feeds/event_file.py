"""Files of input events: one JSON object ``{"topic": "contacts", "event": {…}}`` per line, gzip if the name ends in ``.gz``.

Lines of simulated events carry ``"simulated": true`` beside the two.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from stream_app.feeds.feed import FeedEvent, FeedOutline, event_key, instant_of, outline_of

COMPRESSION = 6
MARGIN_MS = 8 * 86_400_000
"""After the last event: the seven days in which a contact can still be repeated, and one more."""
REPORT_EVERY = 2000


class EventFileError(ValueError):
    """The file is not there or a line is not an event with its topic; the message names file and line."""


def write_events(path: Path, events: Iterable[FeedEvent], *, simulated: bool, on_progress: Callable[[int], None] = lambda _: None) -> int:
    """Write a new file and return the number of events. Equal events give equal bytes. Raises ``OSError``."""
    written = 0
    mark: dict[str, object] = {"simulated": True} if simulated else {}
    with _writing(path) as file:
        for written, event in enumerate(events, start=1):
            file.write(orjson.dumps({"topic": event.topic, "event": event.event, **mark}))
            file.write(b"\n")
            if written % REPORT_EVERY == 0:
                on_progress(written)
    on_progress(written)
    return written


@contextmanager
def _writing(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        # No name and no time in the header: the same events are the same file.
        with (
            gzip.GzipFile("", "wb", COMPRESSION, file, mtime=0) as compressed,
            io.BufferedWriter(compressed, 1 << 20) as buffered,
        ):
            yield buffered


class EventFileFeed:
    """A file of events, in any order; events of one topic are sent in the order of the file."""

    zone = "UTC"

    def __init__(self, path: Path) -> None:
        """Raises ``EventFileError`` when there is no such file or its first line is no event."""
        self.path = path
        self.name = path.name.split(".")[0]
        if not path.is_file():
            raise EventFileError(f"{path}: no such file")
        first = next(self._lines(), None)
        if first is None:
            raise EventFileError(f"{path}: the file is empty")
        self.simulated = first.get("simulated") is True

    def events(self) -> Iterator[FeedEvent]:
        """Every event in the order of the file. Raises ``EventFileError``."""
        for number, line in enumerate(self._lines(), start=1):
            try:
                event = line["event"]
                yield FeedEvent(line["topic"], event_key(event), event, instant_of(event))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise EventFileError(f"{self.path}:{number}: no event with topic and occurred_at ({error!r})") from error

    def outline(self) -> FeedOutline:
        """Count and span; reads the file."""
        return outline_of(self.events(), MARGIN_MS)

    def _lines(self) -> Iterator[dict[str, Any]]:
        with gzip.open(self.path) if self.path.suffix == ".gz" else self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    read = orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise EventFileError(f"{self.path}:{number}: {error}") from error
                if not isinstance(read, dict):
                    raise EventFileError(f"{self.path}:{number}: not an object")
                yield read
