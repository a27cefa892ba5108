"""Input events into DuckDB: files of ``{"topic", "event"}`` lines, as the feeds write them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

EVENT = (
    "STRUCT(schema BIGINT, type VARCHAR, event_id VARCHAR, occurred_at VARCHAR, case_id VARCHAR, contact_id VARCHAR,"
    " customer_id VARCHAR, channel VARCHAR, queue VARCHAR, priority VARCHAR, team VARCHAR, tier VARCHAR, reason VARCHAR,"
    " complaint BOOLEAN, due STRUCT(first_reply VARCHAR, resolution VARCHAR), flags VARCHAR[], representative_id VARCHAR,"
    " agent_id VARCHAR, to_queue VARCHAR, to_team VARCHAR, to_level VARCHAR, talk_s DOUBLE, hold_s DOUBLE,"
    " after_contact_s DOUBLE, public BOOLEAN, automated BOOLEAN, status VARCHAR, commitment_id VARCHAR, kind VARCHAR,"
    " promised_for VARCHAR, resolution_code VARCHAR, first_contact BOOLEAN, into_case_id VARCHAR, survey_id VARCHAR,"
    " score DOUBLE, route VARCHAR, resolved BOOLEAN, comment VARCHAR, opened_at VARCHAR, answered_at VARCHAR,"
    " abandoned_at VARCHAR, ended_at VARCHAR, resolved_at VARCHAR, up_to VARCHAR)"
)
"""Instants stay text: they come as integers or as RFC 3339."""


def load_file(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Fill the table ``raw`` from a file of JSON lines (``.gz`` too). Returns the number of messages."""
    connection.execute(
        "CREATE OR REPLACE TABLE raw AS SELECT topic, event FROM read_json(?, format='newline_delimited',"
        f" columns={{topic: 'VARCHAR', event: '{EVENT}'}}, maximum_object_size=20000000)",
        [str(path)],
    )
    counted = connection.execute("SELECT count(*) FROM raw").fetchone()
    return int(counted[0]) if counted else 0


def load_events(connection: duckdb.DuckDBPyConnection, events: Iterable[Mapping[str, object]]) -> int:
    """Fill the table ``raw`` from events in memory."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "events.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"topic": "contacts", "event": event}) + "\n" for event in events)
        return load_file(connection, path)
