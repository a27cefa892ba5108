"""What every Kafka client gets to be let in: protocol, TLS context, user and password. The one place that reads secrets.

Passwords are read from their files each time this is asked, which is at each start of a process, and are held nowhere else: settings
know the names of files only, and the options below never show a value.
"""

from __future__ import annotations

import ssl
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stream_app.settings import KafkaSettings


class SecurityFileError(Exception):
    """A file that [kafka] names can not be used; the message names key, file and remedy. Mend the configuration."""


class AccessDeniedError(Exception):
    """The brokers do not let us in, or not to everything; trying again is useless. Its text is one sentence, with the way out."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}: {remedy}")
        self.reason = reason
        self.remedy = remedy


class ClientSecurity(Mapping[str, Any]):
    """Keyword arguments of every aiokafka client. As text it is only the protocol, so that no log or traceback holds a password.

    ``user``: who we are to the brokers, in words.
    """

    def __init__(self, options: Mapping[str, Any], user: str = "nobody") -> None:
        self._options = dict(options)
        self.user = user

    def __getitem__(self, key: str) -> Any:
        return self._options[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)

    def __repr__(self) -> str:
        return f"ClientSecurity({self._options.get('security_protocol', 'PLAINTEXT')})"

    @property
    def authenticates(self) -> bool:
        """Whether brokers may know users, and give rights to each."""
        return bool(self._options)


PLAIN = ClientSecurity({})
"""For brokers that ask nobody anything, such as the local ones."""


def client_security(kafka: KafkaSettings) -> ClientSecurity:
    """The options that ``[kafka]`` asks for. Raises ``SecurityFileError``."""
    if kafka.security_protocol == "PLAINTEXT":
        return PLAIN
    options: dict[str, Any] = {"security_protocol": kafka.security_protocol, "ssl_context": _tls(kafka)}
    if kafka.security_protocol == "SSL":
        return ClientSecurity(options, "the user without a name" if kafka.ssl_certificate_file is None else "the user of our certificate")
    assert kafka.sasl_password_file is not None
    options["sasl_mechanism"] = kafka.sasl_mechanism
    options["sasl_plain_username"] = kafka.sasl_username
    options["sasl_plain_password"] = _secret("sasl_password_file", kafka.sasl_password_file)
    return ClientSecurity(options, f'user "{kafka.sasl_username}"')


def plain_environment(kafka: KafkaSettings) -> dict[str, str]:
    """Variables for child processes on a local broker, which knows nothing of what the configuration file says."""
    if kafka.security_protocol == "PLAINTEXT":
        return {}
    cleared = dict.fromkeys((key for key in vars(kafka) if key.endswith("_file") or key == "sasl_username"), "")
    return {f"DESKPULSE_KAFKA__{key.upper()}": value for key, value in {"security_protocol": "PLAINTEXT", **cleared}.items()}


def exposed_secrets(kafka: KafkaSettings) -> Iterator[str]:
    """One sentence per file of secrets that everybody on this machine may read."""
    if kafka.security_protocol == "PLAINTEXT":
        return
    key_file = "ssl_certificate_file" if kafka.ssl_key_file is None else "ssl_key_file"
    for key in ("sasl_password_file", key_file, "ssl_key_password_file"):
        file: Path | None = getattr(kafka, key)
        if file is not None and file.stat().st_mode & stat.S_IROTH:
            yield f"kafka.{key} {file} can be read by everybody on this machine: chmod 600 {file}"


def _secret(key: str, file: Path) -> str:
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SecurityFileError(f"kafka.{key}: {file} is not UTF-8 text: put the password there, and nothing else") from None
    except OSError as error:
        raise _unreadable(key, file, error) from None
    if not secret or "\n" in secret:
        raise SecurityFileError(f"kafka.{key}: {file} must hold one line, the password, and nothing else")
    return secret


def _tls(kafka: KafkaSettings) -> ssl.SSLContext:
    context = _trusting(kafka.ssl_ca_file)
    context.check_hostname = kafka.ssl_check_hostname
    if kafka.ssl_certificate_file is not None:
        _show_certificate(context, kafka, kafka.ssl_certificate_file)
    return context


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise SecurityFileError(f"kafka.ssl_ca_file: {ca_file} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)") from None
    except OSError as error:
        assert ca_file is not None
        raise _unreadable("ssl_ca_file", ca_file, error) from None
    # Python 3.13 refuses the plain certificates of most private authorities, which Java and 3.12 take.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _show_certificate(context: ssl.SSLContext, kafka: KafkaSettings, certificate: Path) -> None:
    password = "" if kafka.ssl_key_password_file is None else _secret("ssl_key_password_file", kafka.ssl_key_password_file)
    for key, file in (("ssl_certificate_file", certificate), ("ssl_key_file", kafka.ssl_key_file)):
        if file is not None:
            _require_readable(key, file)
    try:
        # Always a password, if an empty one: without any OpenSSL would ask for it at the terminal, where a service waits for ever.
        context.load_cert_chain(certificate, kafka.ssl_key_file, password)
    except ssl.SSLError as error:
        where = kafka.ssl_key_file or certificate
        remedy = "PEM is needed, a key that belongs to the certificate, and kafka.ssl_key_password_file if the key is encrypted"
        raise SecurityFileError(f"kafka.ssl_certificate_file: {certificate} with the key in {where}: {error.reason}. {remedy}") from None


def _require_readable(key: str, file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as error:
        raise _unreadable(key, file, error) from None


def _unreadable(key: str, file: Path, error: OSError) -> SecurityFileError:
    return SecurityFileError(f"kafka.{key}: {file} can not be read ({error.strerror}): create it, or name the right file")
