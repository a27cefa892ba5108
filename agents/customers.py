"""Customers: one row per customer, its contacts and whether each was repeated."""

from __future__ import annotations

from agents.keyed import KeyedProcessor, KeyedSettings
from agents.keyed_codec import KeyedCodec
from models.customers.logic import CustomersLogic


class CustomersProcessor(KeyedProcessor):
    """Reads the customer log."""

    def __init__(self, partitions: int, codec: KeyedCodec) -> None:
        super().__init__(KeyedSettings("customers", "customer-log", "customers-changelog", partitions), CustomersLogic, codec)
