"""The key of an engine: who has it may talk with the engine, and nobody else can, nor listen.

A scheduler carries out whatever it is sent. So each engine makes a key and a certificate for itself when it starts,
in a folder that its user alone may read; web server, scheduler and worker show each other this certificate (TLS).
For a scheduler and workers of one's own, `python -m scviz cluster-key` makes one.
"""

# mypy: untyped-calls-exclude=distributed

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed.security import Security

FOLDER = "engine-key"
KEY, CERTIFICATE = "key.pem", "certificate.pem"
VALID = timedelta(days=3650)
SLACK = timedelta(days=2)
"""A clock may be wrong by so much."""


def engine_key(home: Path) -> Path:
    """Return the folder with the key of the engine of a workspace."""
    return home / FOLDER


def make_key(folder: Path) -> None:
    """Make a new key and its certificate in a folder that its user alone may read; the old ones are gone."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scviz engine")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - SLACK,
            not_valid_after=now + VALID,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write(folder / KEY, key.private_bytes(pem, form, plain))
    _write(folder / CERTIFICATE, certificate.public_bytes(pem))


def security_of(folder: Path) -> Security:
    """Return what web server, scheduler and workers that have the key in a folder show each other."""
    from distributed.security import Security

    key, certificate = str(folder / KEY), str(folder / CERTIFICATE)
    shown = {f"tls_{role}_key": key for role in ("client", "scheduler", "worker")}
    shown |= {f"tls_{role}_cert": certificate for role in ("client", "scheduler", "worker")}
    return Security(require_encryption=True, tls_ca_file=certificate, **shown)


def _write(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read from its first byte on."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
