"""Certificates made when a test runs: an authority, and what it certifies."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME = dt.timedelta(hours=1)
PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Issued:
    """One certificate and its private key, as PEM."""

    certificate: bytes
    key: ec.EllipticCurvePrivateKey

    def key_pem(self, password: str = "") -> bytes:
        encryption = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption)


@dataclass(frozen=True)
class Authority:
    """Certifies; whoever trusts ``certificate_pem`` trusts all of it."""

    name: str = "test authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    def certificate_pem(self) -> bytes:
        builder = _certificate(self.subject, self.subject, self.key, dt.timedelta())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM)

    def issue(self, *names: str, expired: bool = False) -> Issued:
        """For host names and addresses of 127.0.0.1's kind; or for a person, whose name is then the subject."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        builder = _certificate(subject, self.subject, key, -2 * LIFETIME if expired else dt.timedelta())
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        return Issued(builder.sign(self.key, hashes.SHA256()).public_bytes(PEM), key)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, shift: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC) + shift
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def written(file: Path, content: bytes | str, *, mode: int = 0o600) -> Path:
    """The file with this content, readable by its owner only unless said otherwise."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    file.chmod(mode)
    return file
