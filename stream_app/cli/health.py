"""``deskpulse health``: one question to the worker or the board on this machine, with an exit code for an answer."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

import click

from stream_app.access import UnsafeAddressError, token_for
from stream_app.cli.configured import configured
from stream_app.settings import Settings
from stream_app.settings.schema import BoardSettings, MetricsSettings

EXIT_NOT_READY = 1
PATIENCE_SECONDS = 3.0
LOCAL = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where to ask somebody who listens on every address."""


@click.command(
    epilog="""\b
Examples
  deskpulse health worker
  deskpulse health board

\b
Exit codes
  0  it is ready       1  it is not, or nobody answers       2  the configuration is wrong
"""
)
@click.argument("part", type=click.Choice(["worker", "board"]))
@configured
def health(settings: Settings, part: str) -> None:
    """Ask the worker or the board on this machine whether it is ready, and print what it says.

    For the health checks of containers and service managers. Address, port and token are those of the
    configuration. A worker is ready when its partitions are recovered, a board when it has caught up.
    """
    if part == "worker":
        status, text = ask(settings.metrics, "metrics", "/readyz")
    else:
        status, text = ask(settings.board, "board", "/healthz")
    click.echo(text.rstrip())
    if status != http.client.OK:
        raise SystemExit(EXIT_NOT_READY)


def ask(server: MetricsSettings | BoardSettings, section: str, path: str) -> tuple[int, str]:
    """Status and text of the answer; ``(0, reason)`` if there is none. Never by way of a proxy."""
    try:
        token = token_for(server.host, server.token_file, section)
    except UnsafeAddressError as error:
        return 0, str(error)
    host = LOCAL.get(server.host, server.host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{server.port}"  # as web_address, whose module is slow to import
    request = urllib.request.Request(address + path, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310 - ours
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE_SECONDS) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, f"{address} does not answer: {error}"
