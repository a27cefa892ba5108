"""``python -m stream_app.contracts``: writes the published schemas and the AsyncAPI document into ``docs/reference``.

Refuses what would change a published version; exit code 1 then, and the message says what to do.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stream_app.contracts.asyncapi import document
from stream_app.contracts.recorded import record, text_of

REFERENCE = Path("docs/reference")


def main() -> int:
    """Run from the repository's root."""
    refused = record(REFERENCE / "schemas")
    if refused:
        sys.stderr.writelines(f"{problem}\n" for problem in refused)
        return 1
    (REFERENCE / "asyncapi.json").write_text(text_of(document()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
