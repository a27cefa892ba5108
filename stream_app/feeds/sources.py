"""Feeds by the name somebody gives on the command line."""

from __future__ import annotations

from pathlib import Path

from stream_app.feeds.boston311 import Boston311Feed
from stream_app.feeds.event_file import EventFileError, EventFileFeed
from stream_app.feeds.feed import Feed
from stream_app.feeds.uci498 import Uci498Feed

DATASETS = ("uci498", "boston311")


def named_feed(name: str) -> Feed:
    """One of the two data sets, or a file of events. Raises ``EventFileError`` when it is neither."""
    if name == "uci498":
        return Uci498Feed()
    if name == "boston311":
        return Boston311Feed()
    path = Path(name)
    if not path.exists():
        raise EventFileError(f"{name} is neither a file nor one of {', '.join(DATASETS)}")
    return EventFileFeed(path)
