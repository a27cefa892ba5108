"""The KPI topic, followed for a one-line status."""

from __future__ import annotations

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_app.snapshots.rows import Row, value_words

SHOWN = (
    ("offered", "30m", "contacts in 30 m"),
    ("backlog_open", "now", "open"),
    ("oldest_waiting", "now", "oldest waiting"),
    ("first_reply_p90", "30m", "first reply p90"),
    ("service_level", "30m", "service level"),
)


class KpiFollower:
    """Keeps the newest records of the total grouping. One ``update`` at a time; ``close`` at the end."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._consumer: AIOKafkaConsumer | None = None
        self._rows: dict[tuple[str, str], Row] = {}
        self.records = 0

    async def update(self, milliseconds: int) -> None:
        """Reads what has come, waiting up to ``milliseconds`` for something."""
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False, fetch_max_wait_ms=10)
            await self._consumer.start()
            self._consumer.assign([TopicPartition(self._topic, 0)])
            await self._consumer.seek_to_beginning()
        for records in (await self._consumer.getmany(timeout_ms=milliseconds)).values():
            for record in records:
                self._absorb(record.value)

    async def close(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    def status(self) -> str:
        """``1,204 contacts in 30 m · 312 open · …``: what is known so far."""
        known = [(self._rows[kpi, window], words) for kpi, window, words in SHOWN if (kpi, window) in self._rows]
        parts = [f"{words} {value_words(row['value'], row.get('unit', ''))}" for row, words in known]
        return " · ".join(parts) or "no numbers yet"

    def _absorb(self, value: bytes | None) -> None:
        self.records += 1
        if value is None:
            return
        row: Row = orjson.loads(value)
        if not row["group"]:
            self._rows[row["kpi"], row["window"]] = row
