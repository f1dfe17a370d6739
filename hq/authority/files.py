"""The authority's key and certificate, and the server's, in HQ's data folder: made once, never replaced by themselves.

Blocking: call by asyncio.to_thread on the loop. Losing `authority.key` means to enrol every box anew: back it up.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance_agent.kernel.errors import Fault, FaultKind
from appliance_agent.kernel.files import write_atomically

AUTHORITY_YEARS, SERVER_YEARS = 30, 10
EARLIER = timedelta(days=2)
"""Certificates count from then, for boxes whose clock is late."""


@dataclass(frozen=True, slots=True)
class Folder:
    path: Path

    @property
    def authority(self) -> Path:
        return self.path / "authority.pem"

    @property
    def authority_key(self) -> Path:
        return self.path / "authority.key"

    @property
    def server(self) -> Path:
        return self.path / "server.pem"

    @property
    def server_key(self) -> Path:
        return self.path / "server.key"


def make(folder: Folder, names: Sequence[str], now_us: int) -> None:
    """What is missing. `names`: DNS names and addresses at which boxes reach this server."""
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.fromtimestamp(now_us // 1_000_000, UTC)
    if folder.authority.exists() != folder.authority_key.exists():
        raise Fault(
            FaultKind.INTERNAL, "authority.half", f"{folder.path}: authority.pem and authority.key belong together.",
            hint="Bring the missing one back from a backup; without it every box must be enrolled anew.",
        )  # fmt: skip
    if not folder.authority.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("SA800 headquarters")
        made = (
            _builder(name, name, key.public_key(), now, AUTHORITY_YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        write_atomically(folder.authority_key, _pem(key), mode=0o600)
        write_atomically(folder.authority, made.public_bytes(serialization.Encoding.PEM), mode=0o644)
    if not (folder.server.exists() and folder.server_key.exists()):
        _make_server(folder, names, now)


def _make_server(folder: Folder, names: Sequence[str], now: datetime) -> None:
    authority, signer = load(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _builder(_name(names[0]), authority.subject, key.public_key(), now, SERVER_YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_reached_at(name) for name in names]), critical=False)
        .add_extension(_issuer(authority), critical=False)
        .sign(signer, hashes.SHA256())
    )
    write_atomically(folder.server_key, _pem(key), mode=0o600)
    write_atomically(folder.server, made.public_bytes(serialization.Encoding.PEM), mode=0o644)


def load(folder: Folder) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Raises Fault."""
    try:
        certificate = x509.load_pem_x509_certificate(folder.authority.read_bytes())
        key = serialization.load_pem_private_key(folder.authority_key.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise Fault(
            FaultKind.INTERNAL, "authority.unreadable", f"{folder.path}: the authority cannot be read: {error}",
            hint="Run `python3 -m hq init` for a new headquarters; bring the files back from a backup for an old one.",
        ) from error  # fmt: skip
    assert isinstance(key, ec.EllipticCurvePrivateKey), "we made it"
    return certificate, key


def for_box(folder: Folder, csr: x509.CertificateSigningRequest, box: str, *, serial: int, from_us: int,
            until_us: int) -> bytes:  # fmt: skip
    """The box's certificate, PEM. Nothing of the request but its key gets in."""
    authority, signer = load(folder)
    first = datetime.fromtimestamp(from_us // 1_000_000, UTC) - EARLIER
    return (
        x509.CertificateBuilder(issuer_name=authority.subject, subject_name=_name(box))
        .public_key(csr.public_key())
        .serial_number(serial)
        .not_valid_before(first)
        .not_valid_after(datetime.fromtimestamp(until_us // 1_000_000, UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(_issuer(authority), critical=False)
        .sign(signer, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, years: int
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer, subject_name=subject, public_key=key, serial_number=x509.random_serial_number(),
        not_valid_before=now - EARLIER, not_valid_after=now + timedelta(days=365 * years),
    )  # fmt: skip


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _issuer(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    key = authority.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey), "we made it"
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _reached_at(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
