"""The server over TLS, as an enterprise host is reached: an address of its own, a certificate made at every start."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

PORT = 443
DAYS = 7


def addresses(directory: Path) -> Iterator[tuple[str, int]]:
    """Where to listen, best first: port 443 of loopback addresses that hang on the folder, then any free port.

    A host without a port is what clients can find again in the address of a clone: `gh` reads no port there.
    """
    seed = hashlib.sha256(str(directory).encode()).digest()
    for index in range(0, 12, 3):
        yield f"127.{1 + seed[index] % 254}.{seed[index + 1]}.{1 + seed[index + 2] % 254}", PORT
    yield "127.0.0.1", 0


def can_listen(host: str, port: int) -> bool:
    """Whether this user may listen there, and nobody does."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError:
            return False
    return True


def context(folder: Path, host: str) -> ssl.SSLContext:
    """Certificates for `host` in a new folder: `ca.pem` for clients to trust, `server.pem` with the key."""
    from cryptography.hazmat.primitives import serialization

    folder.mkdir(exist_ok=True)
    authority, authority_key = _certificate("mlbot sandbox", None, None)
    found, key = _certificate(host, authority, authority_key)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    server = folder / "server.pem"
    server.touch(mode=0o600)
    server.write_bytes(private + found.public_bytes(pem))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(server)
    return made


def _certificate(name: str, authority: Any, authority_key: Any) -> tuple[Any, Any]:
    """A certificate and its key: signed by itself when there is no authority, else for the host `name`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    draft = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    )
    if authority is not None:
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address(name))]
        draft = draft.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return draft.sign(authority_key or key, hashes.SHA256()), key


def environment(url: str, token: str, ca: Path) -> dict[str, str]:
    """What `gh`, git, Node and Python need to reach the server and to trust it."""
    return {
        "GH_HOST": url.removeprefix("https://"),
        "GH_ENTERPRISE_TOKEN": token,
        "SSL_CERT_FILE": str(ca),
        "GIT_SSL_CAINFO": str(ca),
        "NODE_EXTRA_CA_CERTS": str(ca),
        "REQUESTS_CA_BUNDLE": str(ca),
    }
