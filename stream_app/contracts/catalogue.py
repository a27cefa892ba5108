"""Every published schema with its version.

A version is ``major.minor``. A change that breaks someone who goes by the former schema raises the major, any other change of the
schema the minor; texts and examples may change without. ``stream_app.contracts.recorded`` keeps every published version to this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from models.events.canonical import ContactVersion, Definitions, Event, Mark
from stream_app.contracts.case_records import CaseEvent, ClosedCase, DeadLetterHeaders, OpenCase, SlaEvent
from stream_app.contracts.examples import examples_of
from stream_app.contracts.input_schema import input_schema
from stream_app.contracts.internal_records import ExpiredPane, LevelValue, PaneKey, PaneValue, PartitionKey, StatusValue
from stream_app.contracts.kpi_records import (
    FinalKey,
    FinalKpi,
    LiveKey,
    LiveKpi,
    NextToBreach,
    PipelineWatermark,
    SourceProgress,
)
from stream_app.contracts.schemas import DIALECT, Schema, record_schema
from stream_app.topics import DEFAULT_INPUTS

Direction = Literal["input", "output", "internal"]
"""Written by others and read by us; written by us and read by others; both by us, perhaps by different releases."""

READERS = "Readers must ignore fields they do not know: a minor version may add some. Values beyond `x-known-values` may come, too."
INTERNAL = "Internal: no one else should read it; its shape may change with a release."


@dataclass(frozen=True)
class Contract:
    """One published schema: of the value of a record, or of its headers where the value is any bytes (``dead-letters``)."""

    name: str
    version: str
    direction: Direction
    title: str
    build: Callable[[], Schema]

    @property
    def file(self) -> str:
        """Name of the file that records this version."""
        return f"{self.name}-{self.version}.json"

    def schema(self) -> Schema:
        """The whole document."""
        schema = self.build()
        about = {"input": "", "output": READERS, "internal": INTERNAL}[self.direction]
        head: Schema = {"$schema": DIALECT, "$id": f"urn:deskpulse:schema:{self.name}:{self.version}", "title": self.title}
        head["description"] = schema.pop("description", about)
        if self.direction == "internal":
            head["x-internal"] = True
        examples = examples_of(self.name)
        return head | schema | ({"examples": examples} if examples else {})


CONTRACTS: tuple[Contract, ...] = (
    Contract("input-events", "1.0", "input", "Events of the input topics", input_schema),
    Contract(
        "kpis",
        "1.0",
        "output",
        "Current values of the KPIs, and how far the pipeline is",
        partial(record_schema, LiveKpi, PipelineWatermark, SourceProgress, NextToBreach, keys=(LiveKey,)),
    ),
    Contract("kpi-windows", "1.0", "output", "KPIs of hours, days and the whole span", partial(record_schema, FinalKpi, keys=(FinalKey,))),
    Contract("case-events", "1.0", "output", "What happened to cases", partial(record_schema, CaseEvent)),
    Contract("sla-events", "1.0", "output", "Verdicts about SLA clocks", partial(record_schema, SlaEvent)),
    Contract("cases", "1.0", "output", "Present state of open cases", partial(record_schema, OpenCase, ClosedCase)),
    Contract("dead-letters", "1.0", "output", "Headers of dead letters", partial(record_schema, DeadLetterHeaders)),
    Contract("events", "1.0", "internal", "The canonical log", partial(record_schema, Event, Mark, Definitions)),
    Contract("customer-log", "1.0", "internal", "The log of Customers", partial(record_schema, ContactVersion, Mark, Definitions)),
    Contract(
        "panes",
        "1.1",
        "internal",
        "Panes, levels and status of each partition",
        partial(record_schema, PaneValue, ExpiredPane, LevelValue, StatusValue, keys=(PaneKey, PartitionKey)),
    ),
)
BY_NAME = {contract.name: contract for contract in CONTRACTS}


def contract_of(topic: str) -> Contract | None:
    """The schema of a topic's records (logical name; inputs by their default names); none for the changelogs."""
    return BY_NAME.get("input-events" if topic in DEFAULT_INPUTS else topic)
