"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

KAFKA_LIBRARY = "kafka_"


def machine() -> dict[str, str]:
    """Processor, cores, memory and versions."""
    return {
        "cpu": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "kafka": _kafka(),
        **{name: version(name) for name in ("aiokafka", "faust-streaming", "msgspec", "orjson")},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.processor()


def _kafka() -> str:
    from stream_app.brokers.kafka_jars import jars

    found = sorted(jars().glob(f"{KAFKA_LIBRARY}*.jar"))
    return found[0].stem.rpartition("-")[2] if found else "?"
