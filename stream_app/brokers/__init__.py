"""Local brokers, started and stopped as child processes: for the demo, for tests, for development.

Both implementations keep the small interface of :class:`LocalBroker`. All calls are synchronous; from a running event loop use
``await asyncio.to_thread(broker.start)``.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self


class BrokerError(Exception):
    """A local broker could not do what was asked; the message says what to do about it."""


class BrokerUnavailableError(BrokerError):
    """Something the broker needs is not on this machine (Java, Maven, the wheel): install it, trying again is useless."""


class BrokerStartError(BrokerError):
    """The broker's process ended or did not answer in time; the message ends with the tail of its log."""


class LocalBroker(Protocol):
    """One broker or one cluster on the loopback interface."""

    @property
    def bootstrap(self) -> str:
        """``host:port[,host:port…]``, the same over the object's whole life, also after a restart."""

    def start(self) -> None:
        """Start and wait until clients are served. A running broker is left alone. Raises ``BrokerError``."""

    def stop(self) -> None:
        """End in good order (SIGTERM, SIGKILL when that takes too long). A stopped broker is left alone."""

    def kill(self) -> None:
        """SIGKILL, as a crash would. The data of the disk stays."""

    def restart(self) -> None:
        """Stop if it runs, start with the same ports and the same data directory."""

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""

    def resume(self) -> None:
        """SIGCONT after ``pause``."""

    def close(self) -> None:
        """Stop, and delete the data directory if the broker had made it itself."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
