"""Compiles the parts on the hot path with mypyc where ``DESKPULSE_COMPILE=1`` is set (``make compiled``).

Plain Python is the reference: both pass the same tests. Everything else about the package stands in ``pyproject.toml``.
"""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import setup

PLAIN = {
    # structs: their base class makes them at run time
    "models/catalogue/values.py",
    "models/durability/marker.py",
    "models/events/accepted.py",
    "models/events/canonical.py",
    "models/events/contract.py",
    "models/events/fields.py",
    "models/events/submitted.py",
    "models/rollup/records.py",
}
ALSO = (
    "stream_app/engine/outbox.py",
    "stream_app/engine/partitioner.py",
    "stream_app/wire/canonical.py",
    "stream_app/wire/changelog.py",
    "stream_app/wire/decoder.py",
    "stream_app/wire/keyed.py",
    "stream_app/wire/outputs.py",
)


def hot_path() -> list[str]:
    """Files to compile."""
    pure = [path.as_posix() for folder in ("models/*", "agents") for path in sorted(Path().glob(f"{folder}/*.py"))]
    return [path for path in pure if path not in PLAIN and not path.endswith("__init__.py")] + list(ALSO)


if os.environ.get("DESKPULSE_COMPILE") == "1":
    from mypyc.build import mypycify

    setup(ext_modules=mypycify(["--config-file=", "--follow-imports=silent", *hot_path()]))
else:
    setup()
