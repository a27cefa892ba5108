"""Why a broker does not let us in, told from why none answers. TLS is real; behind it nobody speaks Kafka."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError

from stream_app.brokers.embedded import EmbeddedBroker
from stream_app.kafka_access.granted import require_access
from stream_app.kafka_access.knock import NoAnswerError, _raise_refusal, knock
from stream_app.kafka_access.rights import Right
from stream_app.kafka_access.security import PLAIN, AccessDeniedError, ClientSecurity, client_security
from stream_app.settings import KafkaSettings
from tests.support.certificates import Authority, Issued, written

NOBODY = "127.0.0.1:1"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def wait_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


async def answer_as_a_web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    writer.close()


def shake_hands(listener: socket.socket, context: ssl.SSLContext) -> str:
    """With one client, and what is wrong with it. Not asyncio's server, which hangs up without an alert."""
    connection, _address = listener.accept()
    with connection, pytest.raises(ssl.SSLError) as wrong:
        context.wrap_socket(connection, server_side=True)
    return str(wrong.value)


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


class Tls:
    """An authority, a server's context, a client's options."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.authority = Authority()

    def server(self, issued: Issued) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(written(self.directory / "server.pem", issued.certificate + issued.key_pem()))
        return context

    def client(self, authority: Authority | None = None, *, check_hostname: bool = True) -> ClientSecurity:
        ca_file = written(self.directory / "ca.pem", (authority or self.authority).certificate_pem())
        return client_security(KafkaSettings(security_protocol="SSL", ssl_ca_file=ca_file, ssl_check_hostname=check_hostname))


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    return Tls(tmp_path)


async def refusal(bootstrap: str, security: ClientSecurity) -> str:
    with pytest.raises(AccessDeniedError) as refused:
        await knock(bootstrap, security)
    return str(refused.value)


async def silence(bootstrap: str, security: ClientSecurity) -> str:
    with pytest.raises(NoAnswerError) as silent:
        await knock(bootstrap, security)
    return str(silent.value)


async def test_a_certificate_of_another_authority_is_refused(tls: Tls) -> None:
    async with listening(hang_up, tls.server(tls.authority.issue("127.0.0.1"))) as server:
        said = await refusal(server, tls.client(Authority("another")))
    assert said.startswith(f"the certificate of the broker at {server} is not from an authority that we trust (")
    assert said.endswith("): put the certificate of the authority that the brokers use into the file of kafka.ssl_ca_file")


@pytest.mark.parametrize("names", [("kafka-1.example",), ("127.0.0.2", "localhost")])
async def test_a_certificate_for_another_name_is_refused_unless_names_do_not_matter(tls: Tls, names: tuple[str, ...]) -> None:
    async with listening(wait_and_hang_up, tls.server(tls.authority.issue(*names))) as server:
        said = await refusal(server, tls.client())
        assert said.startswith(f"the certificate of the broker at {server} is for another name: call it by a name that stands in its")
        await silence(server, tls.client(check_hostname=False))


async def test_an_expired_certificate_is_refused(tls: Tls) -> None:
    async with listening(hang_up, tls.server(tls.authority.issue("127.0.0.1", expired=True))) as server:
        said = await refusal(server, tls.client())
    assert said == f"the certificate of the broker at {server} has expired: renew it, or set this machine's clock"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_broker_that_wants_our_certificate_and_gets_none_makes_us_name_the_setting(tls: Tls, version: ssl.TLSVersion) -> None:
    """With 1.3 its alert comes after the handshake and may be lost with the connection."""
    context = tls.server(tls.authority.issue("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    with socket.create_server(("127.0.0.1", 0)) as listener:
        shaking_hands = asyncio.create_task(asyncio.to_thread(shake_hands, listener, context))
        with pytest.raises((AccessDeniedError, NoAnswerError), match=r"kafka\.ssl_certificate_file"):
            await knock(f"127.0.0.1:{listener.getsockname()[1]}", tls.client())
        assert "did not return a certificate" in await shaking_hands


def test_an_alert_that_broke_the_connection_off_is_a_refusal(tls: Tls) -> None:
    alert = ssl.SSLError(1, "certificate required")
    alert.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    broken = KafkaConnectionError("closed")
    broken.__cause__ = alert
    with pytest.raises(AccessDeniedError, match="and we agree on no encrypted connection"):
        _raise_refusal("kafka-1:9093", tls.client(), broken)


async def test_a_port_without_tls_is_a_refusal(tls: Tls) -> None:
    async with listening(answer_as_a_web_server) as server:
        said = await refusal(server, tls.client())
    assert said == f"the broker at {server} speaks no TLS there: correct the port in kafka.bootstrap_servers, or kafka.security_protocol"


@pytest.mark.parametrize("serve", [hang_up, wait_and_hang_up])
async def test_a_broker_that_breaks_off_may_be_starting_and_is_no_refusal(serve: Serve) -> None:
    async with listening(serve) as server:
        said = await silence(server, PLAIN)
    assert f"({server} breaks off the connection; it may want another kafka.security_protocol than PLAINTEXT)" in said


async def test_where_nobody_listens_there_is_no_answer(tls: Tls) -> None:
    for security in (PLAIN, tls.client()):
        assert await silence(NOBODY, security) == f"no Kafka broker answers at {NOBODY}. Start one, or correct kafka.bootstrap_servers"


async def test_one_broker_that_lets_us_in_is_enough(embedded: EmbeddedBroker) -> None:
    await knock(f"{NOBODY},{embedded.bootstrap}", PLAIN)


async def test_where_brokers_know_no_users_no_right_is_missing(embedded: EmbeddedBroker) -> None:
    await require_access(embedded.bootstrap, PLAIN, [Right("topic", "nowhere", "Write")])
