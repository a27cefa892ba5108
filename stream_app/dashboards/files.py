"""The dashboards as files: what is committed in ``grafana/dashboards`` and what a configuration with goals gives."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from stream_app.dashboards.content import Dashboard
from stream_app.dashboards.grafana import dashboard_json


def file_texts(dashboards: Iterable[Dashboard]) -> dict[str, str]:
    """File names and contents."""
    return {f"{dashboard.name}.json": _text(dashboard) for dashboard in dashboards}


def _text(dashboard: Dashboard) -> str:
    return json.dumps(dashboard_json(dashboard), indent=2, ensure_ascii=False) + "\n"


def write_files(directory: Path, dashboards: Iterable[Dashboard]) -> list[Path]:
    """Write them into a directory, which is made; other files there stay. Raises ``OSError``."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in file_texts(dashboards).items():
        file = directory / name
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written
