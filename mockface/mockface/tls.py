"""TLS for the server: a certificate made for the run, or files."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mockface.extras import needs

if TYPE_CHECKING:
    from pathlib import Path

_DAYS = 30


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the server needs.

    Args:
        certificate: A PEM file with the certificate and those that signed it.
        key: A PEM file with its private key.

    Raises:
        ValueError: A file cannot be read, is none, or the two do not belong together.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as wrong:
        raise ValueError(
            f"tls_certificate and tls_key must be PEM files that belong together: {certificate}, "
            f"{key}: {wrong.strerror or wrong}."
        ) from None
    return made


def make_certificate(host: str, folder: Path) -> tuple[Path, Path]:
    """Writes a self-signed certificate for this host and for loopback, and its key.

    Args:
        host: Where the server listens.
        folder: Where the two files are written.

    Returns:
        The certificate, which clients have to trust, and the key.

    Raises:
        ModuleNotFoundError: `cryptography` is not installed, which the extra `tls` brings.
    """
    with needs("mock,tls"):
        from cryptography import x509  # noqa: PLC0415 - few need it
        from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - see above
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - see above

    names: list[x509.GeneralName] = []
    for each in dict.fromkeys((host, "localhost", "127.0.0.1", "::1")):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(each)))
        except ValueError:
            names.append(x509.DNSName(each))
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mockface")])
    now = datetime.now(UTC)  # the real time: clients go by it
    signed = (
        x509.CertificateBuilder(subject, subject, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, key
