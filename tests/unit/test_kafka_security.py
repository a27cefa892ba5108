"""From the files that [kafka] names to what the clients get; nothing secret in any text."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stream_app.app import engine_settings
from stream_app.cli import main
from stream_app.kafka_access.security import PLAIN, SecurityFileError, client_security, exposed_secrets, plain_environment
from stream_app.settings import KafkaSettings, Settings, parse_settings
from stream_app.settings.reference import effective_toml
from tests.support.certificates import Authority, written

SECRET = "correct horse battery"


@pytest.fixture
def with_password(tmp_path: Path) -> KafkaSettings:
    ca_file = written(tmp_path / "ca.pem", Authority().certificate_pem())
    password = written(tmp_path / "password", f"{SECRET}\n")
    return KafkaSettings(security_protocol="SASL_SSL", sasl_username="deskpulse", sasl_password_file=password, ssl_ca_file=ca_file)


def test_plaintext_needs_no_options() -> None:
    assert dict(client_security(KafkaSettings())) == dict(PLAIN) == {}


def test_a_user_with_password_is_shown_over_tls_that_trusts_only_the_given_authority(with_password: KafkaSettings) -> None:
    options = dict(client_security(with_password))
    context = options.pop("ssl_context")
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "deskpulse",
        "sasl_plain_password": SECRET,
    }
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert [dict(part[0] for part in found["subject"])["commonName"] for found in context.get_ca_certs()] == ["test authority"]


@pytest.mark.parametrize(("own", "user"), [(True, "the user of our certificate"), (False, "the user without a name")])
def test_without_a_password_we_are_whom_our_certificate_names(tmp_path: Path, own: bool, user: str) -> None:
    issued = Authority().issue("deskpulse")
    certificate = written(tmp_path / "own.pem", issued.certificate + issued.key_pem())
    security = client_security(KafkaSettings(security_protocol="SSL", ssl_certificate_file=certificate if own else None))
    assert (security.user, security.authenticates) == (user, True)


def test_without_the_check_of_names_certificates_are_still_required(with_password: KafkaSettings) -> None:
    context = client_security(replace(with_password, ssl_check_hostname=False))["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, False)


def test_a_password_is_read_again_at_each_start(with_password: KafkaSettings) -> None:
    assert with_password.sasl_password_file is not None
    client_security(with_password)
    written(with_password.sasl_password_file, "another")
    assert client_security(with_password)["sasl_plain_password"] == "another"


def test_no_text_of_settings_or_options_holds_the_password(with_password: KafkaSettings) -> None:
    settings = replace(Settings(), kafka=with_password)
    engine = engine_settings(settings)
    for text in (repr(settings), effective_toml(settings), repr(engine), str(engine.security), f"{engine.security!r}"):
        assert SECRET not in text
    assert engine.security["sasl_plain_password"] == SECRET


@pytest.mark.parametrize("password", ["", "of the key"])
def test_a_certificate_of_our_own_is_shown_with_its_key(tmp_path: Path, password: str) -> None:
    issued = Authority().issue("deskpulse")
    settings = KafkaSettings(
        security_protocol="SSL",
        ssl_certificate_file=written(tmp_path / "own.pem", issued.certificate),
        ssl_key_file=written(tmp_path / "own.key", issued.key_pem(password)),
        ssl_key_password_file=written(tmp_path / "own.password", password) if password else None,
    )
    assert client_security(settings)["security_protocol"] == "SSL"


def test_an_encrypted_key_without_its_password_is_an_error_and_no_question_at_the_terminal(tmp_path: Path) -> None:
    issued = Authority().issue("deskpulse")
    both = written(tmp_path / "own.pem", issued.certificate + issued.key_pem("of the key"))
    with pytest.raises(SecurityFileError, match=r"kafka\.ssl_certificate_file: .*kafka\.ssl_key_password_file if the key is encrypted"):
        client_security(KafkaSettings(security_protocol="SSL", ssl_certificate_file=both))


def test_a_key_that_belongs_to_another_certificate_is_an_error(tmp_path: Path) -> None:
    settings = KafkaSettings(
        security_protocol="SSL",
        ssl_certificate_file=written(tmp_path / "own.pem", Authority().issue("deskpulse").certificate),
        ssl_key_file=written(tmp_path / "other.key", Authority().issue("another").key_pem()),
    )
    with pytest.raises(SecurityFileError, match="a key that belongs to the certificate"):
        client_security(settings)


@pytest.mark.parametrize("key", ["sasl_password_file", "ssl_ca_file", "ssl_certificate_file", "ssl_key_file", "ssl_key_password_file"])
def test_a_file_that_is_not_there_is_named_with_its_key(with_password: KafkaSettings, tmp_path: Path, key: str) -> None:
    issued = Authority().issue("deskpulse")
    own = written(tmp_path / "own.pem", issued.certificate + issued.key_pem())
    given: dict[str, Any] = {"ssl_certificate_file": own, key: tmp_path / "nowhere"}
    with pytest.raises(SecurityFileError, match=rf"kafka\.{key}: \S+/nowhere can not be read \(No such file or directory\): create it"):
        client_security(replace(with_password, **given))


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff\xfe"])
def test_a_password_file_must_hold_one_line_of_text(with_password: KafkaSettings, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SecurityFileError, match=r"kafka\.sasl_password_file: .* and nothing else"):
        client_security(replace(with_password, sasl_password_file=written(tmp_path / "bad", content)))


def test_an_authority_file_without_a_certificate_is_an_error(with_password: KafkaSettings, tmp_path: Path) -> None:
    with pytest.raises(SecurityFileError, match=r"kafka\.ssl_ca_file: \S+ holds no certificate in PEM"):
        client_security(replace(with_password, ssl_ca_file=written(tmp_path / "bad", "nothing")))


def test_secrets_that_everybody_may_read_are_told(with_password: KafkaSettings) -> None:
    assert list(exposed_secrets(with_password)) == []
    assert with_password.sasl_password_file is not None
    with_password.sasl_password_file.chmod(0o644)
    (told,) = exposed_secrets(with_password)
    assert told.startswith("kafka.sasl_password_file ")
    assert told.endswith(f": chmod 600 {with_password.sasl_password_file}")


def test_child_processes_on_a_local_broker_need_none_of_it(with_password: KafkaSettings) -> None:
    text = effective_toml(replace(Settings(), kafka=with_password))
    assert parse_settings(text).kafka == with_password
    assert parse_settings(text, environment=plain_environment(with_password)).kafka == KafkaSettings()
    assert plain_environment(KafkaSettings()) == {}


def test_config_check_looks_into_the_files_and_exits_with_2(tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    file.write_text(f'[kafka]\nsecurity_protocol = "SSL"\nssl_ca_file = "{tmp_path}/nowhere"\n')
    checked = CliRunner().invoke(main, ["config", "check", str(file)])
    assert checked.exit_code == 2
    assert checked.stderr.startswith(f"✗ kafka.ssl_ca_file: {tmp_path}/nowhere can not be read")
