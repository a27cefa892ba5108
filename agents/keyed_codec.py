"""What Cases and Customers need of the wire."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from agents.ports import Output
from models.durability.fence import Fence
from models.durability.keyed import KeyedState, Message
from models.durability.marker import Marker
from models.durability.pane import Pane
from models.events.canonical import Definitions, Mark


class KeyedCodec(ABC):
    """Bytes of one log, its changelog and its outputs. ``record`` decodes a record of the log; it raises ``ValueError``."""

    record: Callable[[bytes], Any]

    @abstractmethod
    def control(self, value: bytes) -> Mark | Definitions:
        """A control record of the log."""

    @abstractmethod
    def output(self, message: Message) -> Output:
        """What a message is on its topic."""

    @abstractmethod
    def row_key(self, key: str) -> bytes:
        """Changelog key of a row."""

    @abstractmethod
    def key_of_row(self, key: bytes) -> str:
        """The row's own key."""

    @abstractmethod
    def row(self, row: Any) -> bytes:
        """Changelog value of a row."""

    @abstractmethod
    def deleted_row(self, fence: Fence) -> bytes:
        """Changelog value of a row that is gone."""

    @abstractmethod
    def is_deleted(self, value: bytes) -> bool:
        """Whether a changelog value says so."""

    @abstractmethod
    def restore_row(self, key: bytes, value: bytes) -> Any:
        """The row of a changelog record."""

    @abstractmethod
    def fence_of(self, value: bytes) -> Fence:
        """The fence of a changelog value."""

    @abstractmethod
    def pane(self, pane: Pane) -> tuple[bytes, bytes]:
        """Changelog key and value of a pane."""

    @abstractmethod
    def restore_pane(self, key: bytes, value: bytes) -> Pane:
        """The pane of a changelog record."""

    @abstractmethod
    def marker(self, state: KeyedState[Any], fence: Fence) -> tuple[bytes, bytes]:
        """Key and value of the marker that ends a checkpoint."""

    @abstractmethod
    def restore_marker(self, value: bytes) -> Marker:
        """What a marker says."""

    @abstractmethod
    def published_pane(self, processor: str, partition: int, pane: Pane) -> Output:
        """A pane on the panes topic."""

    @abstractmethod
    def forgotten_pane(self, processor: str, partition: int, pane: Pane) -> Output:
        """The tombstone of a pane on the panes topic."""

    @abstractmethod
    def status(self, processor: str, partition: int, body: dict[str, Any]) -> Output:
        """How far a partition is."""

    @abstractmethod
    def level(self, processor: str, partition: int, body: dict[str, Any]) -> Output:
        """All levels of a partition."""
