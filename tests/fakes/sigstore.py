"""Fulcio, its log of certificates and Rekor on this machine: they sign as the real ones do, with keys made here.

Formats: RFC 6962 for the certificate's promise and the log's leaf, https://github.com/C2SP/C2SP/blob/main/signed-note.md
for the checkpoint, https://github.com/sigstore/protobuf-specs for the two files of trust.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

P256 = {"hashAlgorithm": "SHA2_256"}
VALID = {"validFor": {"start": "2020-01-01T00:00:00Z"}}
ECDSA = ec.ECDSA(hashes.SHA256())
DER = serialization.Encoding.DER


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def spki(key: Any) -> bytes:
    return bytes(key.public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo))


@dataclass
class LocalSigstore:
    """`down` answers every request with 503."""

    url: str = ""
    down: bool = False
    asked: list[str] = field(default_factory=list)
    ca_key: Any = field(default_factory=new_key)
    ct_key: Any = field(default_factory=new_key)
    log_key: Any = field(default_factory=new_key)

    def __post_init__(self) -> None:
        self.root = self._certificate(self.ca_key.public_key(), "local root", is_ca=True).sign(
            self.ca_key, hashes.SHA256()
        )

    def trust(self) -> str:
        """What `ClientTrustConfig.from_json` reads."""
        service = {"url": self.url, "majorApiVersion": 1, "operator": "local", **VALID}
        signing = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service], "oidcUrls": [service], "rekorTlogUrls": [service], "tsaUrls": [],
            "rekorTlogConfig": {"selector": "ANY"}, "tsaConfig": {"selector": "ANY"},
        }  # fmt: skip
        authority = {
            "subject": {"organization": "local", "commonName": "local root"}, "uri": self.url, **VALID,
            "certChain": {"certificates": [{"rawBytes": b64(self.root.public_bytes(DER))}]},
        }  # fmt: skip
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self._log(self.log_key)], "ctlogs": [self._log(self.ct_key)],
            "certificateAuthorities": [authority], "timestampAuthorities": [],
        }  # fmt: skip
        kind = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
        return json.dumps({"mediaType": kind, "trustedRoot": root, "signingConfig": signing})

    def _log(self, key: Any) -> dict[str, Any]:
        public = spki(key.public_key())
        shown = {"rawBytes": b64(public), "keyDetails": "PKIX_ECDSA_P256_SHA_256", **VALID}
        return {
            "baseUrl": self.url,
            **P256,
            "publicKey": shown,
            "logId": {"keyId": b64(hashlib.sha256(public).digest())},
        }

    def _certificate(self, public: Any, name: str, *, is_ca: bool) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if is_ca else [])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local root")])
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        return (
            x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(minutes=10))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca_key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, **usage), critical=True
            )
        )  # fmt: skip

    def certify(self, request: bytes, token: str) -> list[str]:
        """Fulcio: a certificate for what the token claims, with the promise of the log of certificates in it."""
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        public = x509.load_pem_x509_csr(request).public_key()
        where = f"https://github.com/{claims['repository']}/.github/workflows/promote.yml@{claims['ref']}"
        builder = self._certificate(public, "", is_ca=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(where)]), critical=True
        )
        for number, value in (("1", claims["iss"]), ("5", claims["repository"]), ("6", claims["ref"])):
            oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
            builder = builder.add_extension(x509.UnrecognizedExtension(oid, value.encode()), critical=False)
        before = builder.sign(self.ca_key, hashes.SHA256()).tbs_certificate_bytes
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, self._promise(before)), critical=False)
        leaf = builder.sign(self.ca_key, hashes.SHA256())
        return [one.public_bytes(serialization.Encoding.PEM).decode() for one in (leaf, self.root)]

    def _promise(self, tbs: bytes) -> bytes:
        """The list of one signed certificate timestamp, as the extension holds it."""
        at = int(datetime.now(UTC).timestamp() * 1000)
        issuer = hashlib.sha256(spki(self.ca_key.public_key())).digest()
        signed = struct.pack("!BBQH", 0, 0, at, 1) + issuer + len(tbs).to_bytes(3, "big") + tbs + b"\0\0"
        signature = self.ct_key.sign(signed, ECDSA)
        log = hashlib.sha256(spki(self.ct_key.public_key())).digest()
        one = b"\0" + log + struct.pack("!QHBBH", at, 0, 4, 3, len(signature)) + signature
        listed = struct.pack("!HH", len(one) + 2, len(one)) + one
        return b"\x04" + bytes([len(listed)]) + listed

    def enter(self, proposed: dict[str, Any]) -> dict[str, Any]:
        """Rekor: a log of this one entry."""
        content = proposed["spec"]["proposedContent"]
        envelope = json.loads(content["envelope"])
        hashed = {
            "envelopeHash": content["envelope"].encode(), "payloadHash": base64.b64decode(envelope["payload"]),
        }  # fmt: skip
        spec: dict[str, Any] = {
            name: {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()} for name, data in hashed.items()
        }
        spec["signatures"] = [{"signature": envelope["signatures"][0]["sig"], "verifier": content["verifiers"][0]}]
        body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}, sort_keys=True, separators=(",", ":"))
        root = hashlib.sha256(b"\0" + body.encode()).digest()
        key = hashlib.sha256(spki(self.log_key.public_key())).digest()
        note = f"local - 1\n1\n{b64(root)}\n"
        seal = b64(key[:4] + self.log_key.sign(note.encode(), ECDSA))
        entry: dict[str, Any] = {
            "body": b64(body.encode()), "integratedTime": int(datetime.now(UTC).timestamp()), "logID": key.hex(),
            "logIndex": 0,
        }  # fmt: skip
        promise = b64(self.log_key.sign(json.dumps(entry, sort_keys=True, separators=(",", ":")).encode(), ECDSA))
        proof = {
            "checkpoint": f"{note}\n\u2014 local {seal}\n", "hashes": [], "logIndex": 0, "rootHash": root.hex(),
            "treeSize": 1,
        }  # fmt: skip
        return {root.hex(): entry | {"verification": {"inclusionProof": proof, "signedEntryTimestamp": promise}}}


@contextmanager
def local_sigstore() -> Iterator[LocalSigstore]:
    """Served on a free port until the end."""
    services = LocalSigstore()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            services.asked.append(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer: Any = {"message": "down"}
            if not services.down and self.path == "/api/v2/signingCert":
                token = self.headers["Authorization"].removeprefix("Bearer ")
                chain = services.certify(base64.b64decode(body["certificateSigningRequest"]), token)
                answer = {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}
            elif not services.down:
                answer = services.enter(body)
            self.send_response(503 if services.down else 201)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    services.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield services
    finally:
        server.shutdown()
        server.server_close()
