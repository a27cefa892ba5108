"""Knocking at the brokers' door: whether one lets us in, and if not, why, in one sentence.

aiokafka's clients say "unable to bootstrap" whatever it was, and go on trying. A refusal is the same tomorrow, so it must be told from an
absence, which may pass. Only what a broker or its certificate says plainly counts as a refusal.
"""

from __future__ import annotations

import asyncio
import ssl

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import IllegalSaslStateError, KafkaConnectionError, KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest

from stream_app.kafka_access.security import AccessDeniedError, ClientSecurity

TIMEOUT_MS = 10_000
CLOSING_SECONDS = 1.0
"""For the farewells of TLS: a command whose event loop ends before them would leave the socket open."""
_OTHER_NAME = (62, 64)
"""OpenSSL's verify codes: the certificate is for another host name, for another address."""
_EXPIRED = 10


class NoAnswerError(KafkaConnectionError):  # type: ignore[misc]
    """No broker serves us now. Worth waiting for; ``hint`` is what may be wrong all the same, if anything."""

    def __init__(self, bootstrap: str, hint: str) -> None:
        super().__init__(bootstrap, hint)
        self.hint = hint

    def __str__(self) -> str:
        bootstrap, hint = self.args
        return f"no Kafka broker answers at {bootstrap}{f' ({hint})' if hint else ''}. Start one, or correct kafka.bootstrap_servers"


async def knock(bootstrap: str, security: ClientSecurity) -> None:
    """Return once one of the brokers has let us in. Raises ``AccessDeniedError``, or ``NoAnswerError`` when none answers at all."""
    hint = ""
    for host, port, _family in collect_hosts(bootstrap):
        address = f"{host}:{port}"
        try:
            await _enter(host, port, security)
        except (OSError, KafkaError, ValueError) as error:
            _raise_refusal(address, security, error)
            hint = hint or _hint(address, security, error)
        else:
            return
    raise NoAnswerError(bootstrap, hint)


async def _enter(host: str, port: int, security: ClientSecurity) -> None:
    """The first request too: a listener that wants a password breaks off only then."""
    connection = AIOKafkaConnection(host, port, request_timeout_ms=TIMEOUT_MS, **security)
    try:
        await connection.connect()
        await connection.send(MetadataRequest([]))
    finally:
        closed = connection.close()
        if connection._protocol is not None:  # noqa: SLF001 - of what never was connected no end is told
            await asyncio.wait({closed}, timeout=CLOSING_SECONDS)


def _raise_refusal(address: str, security: ClientSecurity, error: BaseException | None) -> None:
    """Raises ``AccessDeniedError`` for what will not pass by itself, which may be the cause of a connection that broke off."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            raise _distrust(address, error) from None
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            raise _no_handshake(address, error) from None
        if isinstance(error, SaslAuthenticationFailed | UnsupportedSaslMechanismError | IllegalSaslStateError):
            raise _rejection(address, security, error) from None
        error = error.__cause__


def _distrust(address: str, error: ssl.SSLCertVerificationError) -> AccessDeniedError:
    certificate = f"the certificate of the broker at {address}"
    if error.verify_code in _OTHER_NAME:
        remedy = "call it by a name that stands in its certificate (kafka.bootstrap_servers, and advertised.listeners on the broker)"
        return AccessDeniedError(f"{certificate} is for another name", remedy)
    if error.verify_code == _EXPIRED:
        return AccessDeniedError(f"{certificate} has expired", "renew it, or set this machine's clock")
    remedy = "put the certificate of the authority that the brokers use into the file of kafka.ssl_ca_file"
    return AccessDeniedError(f"{certificate} is not from an authority that we trust ({error.verify_message})", remedy)


def _no_handshake(address: str, error: ssl.SSLError) -> AccessDeniedError:
    reason = (error.reason or "").replace("_", " ").lower()
    if "wrong version" in reason or "record layer" in reason:
        remedy = "correct the port in kafka.bootstrap_servers, or kafka.security_protocol"
        return AccessDeniedError(f"the broker at {address} speaks no TLS there", remedy)
    remedy = "if it wants our certificate, set kafka.ssl_certificate_file and kafka.ssl_key_file"
    return AccessDeniedError(f"the broker at {address} and we agree on no encrypted connection ({reason})", remedy)


def _rejection(address: str, security: ClientSecurity, error: KafkaError) -> AccessDeniedError:
    broker, mechanism = f"the broker at {address}", security["sasl_mechanism"]
    if isinstance(error, SaslAuthenticationFailed):
        remedy = "correct kafka.sasl_username, or the file of kafka.sasl_password_file"
        return AccessDeniedError(f"{broker} does not let in {security.user} with this password ({mechanism})", remedy)
    if isinstance(error, UnsupportedSaslMechanismError):
        return AccessDeniedError(f"{broker} does not offer {mechanism}", "set kafka.sasl_mechanism to one that it does")
    return AccessDeniedError(f"{broker} asks for no password there", 'set kafka.security_protocol = "SSL", or correct the port')


def _hint(address: str, security: ClientSecurity, error: BaseException) -> str:
    """More than "no answer", where there was a broker: it may be on its way up or down, or want something else on this port.

    With TLS 1.3 the want of our certificate may look like that too: the broker's alert can be lost with the connection.
    """
    if not isinstance(error, KafkaConnectionError):
        return ""
    protocol = security.get("security_protocol", "PLAINTEXT")
    certificate = ", or our certificate (kafka.ssl_certificate_file)" if protocol == "SSL" else ""
    return f"{address} breaks off the connection; it may want another kafka.security_protocol than {protocol}{certificate}"
