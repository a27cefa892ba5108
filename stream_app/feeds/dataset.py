"""Rows of the public data sets as they stand in their files."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path


class DatasetMissingError(FileNotFoundError):
    """The file is not where it was looked for: name another path."""


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Every row of a gzip-compressed CSV file, in file order. Raises ``DatasetMissingError``."""
    if not path.is_file():
        raise DatasetMissingError(f"{path} does not exist: it comes with a checkout, in data/")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
