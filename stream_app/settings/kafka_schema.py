"""The keys of ``[kafka]``, with their defaults and their meaning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stream_app.settings.fields import setting

SASL_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """The brokers, how they let us in, and how our topics and consumer groups are named there."""

    bootstrap_servers: str = setting("127.0.0.1:9092", "Brokers to start from, as `host:port`, several with commas.")
    security_protocol: str = setting(
        "PLAINTEXT",
        """`PLAINTEXT`: no encryption and no user. `SSL`: encrypted, with a client certificate if the brokers want one.
        `SASL_SSL`: encrypted, with user name and password. `SASL_PLAINTEXT` is refused: it would send the password in clear text.""",
    )
    sasl_mechanism: str = setting(
        "SCRAM-SHA-512", "How the password is shown to the brokers. GSSAPI and OAUTHBEARER are not supported.", choices=SASL_MECHANISMS
    )
    sasl_username: str = setting("", "User name, with `SASL_SSL`.")
    sasl_password_file: Path | None = setting(None, "File with that user's password and nothing else; read at each start.")
    ssl_ca_file: Path | None = setting(
        None, "Certificates (PEM) of the authorities that brokers may be certified by. None: those that this machine trusts."
    )
    ssl_certificate_file: Path | None = setting(None, "Our own certificate (PEM) with its chain, for brokers that ask for one.")
    ssl_key_file: Path | None = setting(None, "The private key (PEM) of our certificate, unless it stands in the same file.")
    ssl_key_password_file: Path | None = setting(None, "File with the password of an encrypted private key.")
    ssl_check_hostname: bool = setting(
        True, "Whether a broker's certificate must be for the name it is called by. Without that any certificate of the authority will do."
    )
    topic_prefix: str = setting(
        "deskpulse", "Our own topics are called `<prefix>.<name>`. Two installations on one cluster need two prefixes."
    )
    group_prefix: str = setting("deskpulse", "The workers' consumer group is called `<prefix>-worker`.")
    replication_factor: int = setting(
        1, "Copies of each topic that `topics create` asks for. One copy is lost with its broker: 3 in production.", minimum=1, maximum=32
    )
    log_partitions: int = setting(
        4,
        """Partitions of the case log, the customer log and their changelogs: the most workers that can share the work.
        Fixed once the topics exist.""",
        minimum=1,
        maximum=1024,
    )
    input_retention: timedelta = setting(
        timedelta(days=7),
        """How long the input topics made by `topics create` keep their events: the longest outage without loss.""",
        minimum=timedelta(hours=1),
    )
    request_timeout: timedelta = setting(
        timedelta(seconds=30), "How long one request may take before it counts as failed.", minimum=timedelta(seconds=1)
    )
