"""Who may reach our web servers: everybody on this machine, and from elsewhere only holders of a token."""

from __future__ import annotations

import hmac
import ipaddress
from pathlib import Path

LEAST_TOKEN_LENGTH = 16


class UnsafeAddressError(Exception):
    """A web server was asked to listen where others can reach it without a usable token. It must not start."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``. Names other than ``localhost`` count as reachable."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def token_for(host: str, token_file: Path | None, section: str) -> str | None:
    """The token that callers must send; ``None`` where none is needed (loopback without a token file).

    Raises ``UnsafeAddressError`` if ``host`` is not loopback and there is no token, or if the token is unusable.
    """
    if token_file is None:
        if is_loopback(host):
            return None
        raise UnsafeAddressError(f"{section}.host {host} can be reached from other machines: set {section}.token_file, or use 127.0.0.1")
    return _read_token(token_file, section)


def is_authorized(header: str, token: str | None) -> bool:
    """Whether an ``Authorization`` header carries ``token``; compared in constant time."""
    if token is None:
        return True
    scheme, _, sent = header.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())


def _read_token(token_file: Path, section: str) -> str:
    try:
        token = token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnsafeAddressError(f"{section}.token_file {token_file} can not be read: {error}") from error
    if len(token) < LEAST_TOKEN_LENGTH:
        raise UnsafeAddressError(
            f"{section}.token_file {token_file} holds fewer than {LEAST_TOKEN_LENGTH} characters:"
            f" put a random one there, such as from `openssl rand -hex 32`"
        )
    return token
