"""What a command about state works on: processors and their log partitions."""

from __future__ import annotations

from dataclasses import dataclass

from agents.cases import CasesProcessor
from agents.customers import CustomersProcessor
from agents.keyed import KeyedProcessor
from stream_app.settings import Settings
from stream_app.wire.keyed import CASES, CUSTOMERS

PROCESSORS = ("cases", "customers")


class StateError(Exception):
    """It cannot be done like this; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One log partition of one processor."""

    processor: KeyedProcessor
    partition: int

    @property
    def name(self) -> str:
        return f"{self.processor.name} {self.partition}"


def chosen_parts(settings: Settings, processor: str | None, partition: int | None) -> list[Part]:
    """Every part, or those of one processor, of one partition. Raises ``StateError`` for a partition that there is not."""
    count = settings.kafka.log_partitions
    if partition is not None and not 0 <= partition < count:
        raise StateError(f"there is no log partition {partition}: kafka.log_partitions is {count}, so they are 0 to {count - 1}")
    numbers = range(count) if partition is None else (partition,)
    return [
        Part(machine, number)
        for machine in (CasesProcessor(count, CASES), CustomersProcessor(count, CUSTOMERS))
        if processor in {None, machine.name}
        for number in numbers
    ]
