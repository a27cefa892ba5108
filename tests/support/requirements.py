"""What a test needs from the machine: missing it is a skip on a desk and a failure in CI, never a silent hole."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def in_continuous_integration() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def missing(reason: str) -> NoReturn:
    """Skip the test with this reason; with ``CI=true`` fail it."""
    if in_continuous_integration():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def program(*names: str) -> str:
    """The path of the first of these programs that is installed."""
    for name in names:
        found = shutil.which(name)
        if found is not None:
            return found
    missing(f"needs {' or '.join(names)} on the PATH")
