"""Keys and certificates: a local chain is made, whatever is configured is opened, signatures are checked.

The only module that imports ``cryptography`` (extra ``provenance``).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lp_core.errors import KeyUnusable
from lp_core.files import ensure_folder, write_whole
from lp_core.provenance.config import KeyConfig

SIGNER_TIMEOUT_S = 60
"""An external signer that takes longer (someone must press a button) has failed."""
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "es256": hashes.SHA256(), "es384": hashes.SHA384(), "es512": hashes.SHA512(), "ps256": hashes.SHA256(),
}  # fmt: skip
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
Certificates = list[x509.Certificate]


@dataclass(frozen=True)
class Identity:
    """Someone who can sign now."""

    name: str
    """Organization and common name of the certificate."""
    algorithm: str
    """es256, es384, es512, ed25519 or ps256."""
    chain: bytes
    """PEM certificates, the signer's own first."""
    sign: Callable[[bytes], bytes]
    """Raw signature of some bytes (ECDSA: r and s side by side); raises KeyUnusable."""
    time_stamp_url: str | None = None
    """Time-stamp authority; None for none."""


def make_chain(folder: Path, organization: str, days: int) -> Path:
    """Makes a P-256 root and a signer's certificate; the root's key is forgotten, so it signs nothing else.

    Writes key.pem (PKCS#8, readable by the user alone), certificates.pem and anchors/NAME.pem.

    Returns:
        The root certificate's file, to be given to those who shall trust the results.
    """
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.now(UTC)
    root_name = _name(organization, "LP Suite local root")
    root = _builder(root_name, root_name, root_key.public_key(), now, days)
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    root = root.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    root_certificate = root.sign(root_key, hashes.SHA256())
    leaf = _builder(_name(organization, "LP Suite signer"), root_name, key.public_key(), now, days)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(_usage("digital_signature"), critical=True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    leaf_certificate = leaf.add_extension(above, critical=False).sign(root_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_whole(folder / "key.pem", secret, private=True)
    root_pem = root_certificate.public_bytes(pem)
    write_whole(folder / "certificates.pem", leaf_certificate.public_bytes(pem) + root_pem)
    anchor = folder / "anchors" / f"root-{root_certificate.serial_number:x}.pem"
    ensure_folder(anchor.parent)
    write_whole(anchor, root_pem)
    return anchor


def open_identity(folder: Path, config: KeyConfig, now: datetime | None = None) -> Identity:
    """Anyone who the configuration names, checked: the files are there, fit each other and are valid now.

    Raises:
        KeyUnusable: something is missing, expired, unreadable or does not fit.
    """
    path = folder / config.certificates
    certificates = load_certificates(path)
    leaf = certificates[0]
    now = now or datetime.now(UTC)
    if now >= leaf.not_valid_after_utc:
        raise KeyUnusable(
            f"The certificate {path} expired on {leaf.not_valid_after_utc:%Y-%m-%d}; make a new one with "
            "lpsuite provenance init --overwrite."
        )
    if now < leaf.not_valid_before_utc:
        raise KeyUnusable(
            f"The certificate {path} is valid only from {leaf.not_valid_before_utc:%Y-%m-%d}; check the clock."
        )
    algorithm = algorithm_of(leaf, path)
    if config.key is None:
        signs = _command_signer(config.signer, algorithm, leaf)
    else:
        signs = _key_signer(folder / config.key, algorithm, leaf)
    chain = b"".join(item.public_bytes(serialization.Encoding.PEM) for item in certificates)
    return Identity(subject(leaf), algorithm, chain, signs, config.time_stamp_url)


def load_certificates(path: Path) -> Certificates:
    """All certificates of a PEM file.

    Raises:
        KeyUnusable: the file cannot be read or holds none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise KeyUnusable(
            f"The certificate {path} cannot be read ({error.strerror}); put it there or run lpsuite provenance init."
        ) from error
    except ValueError as error:
        raise KeyUnusable(
            f"{path} holds no certificate in PEM form; put the signer's chain there."
        ) from error


def subject(certificate: x509.Certificate) -> str:
    """Organization and common name in words."""
    oids = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    parts = [str(item.value) for oid in oids for item in certificate.subject.get_attributes_for_oid(oid)]
    return ", ".join(parts) or certificate.subject.rfc4514_string()


def algorithm_of(certificate: x509.Certificate, where: Path | str) -> str:
    """The C2PA algorithm that goes with the certificate's key.

    Raises:
        KeyUnusable: C2PA has none for it.
    """
    public = certificate.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name in _CURVES:
        return _CURVES[public.curve.name]
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(public, rsa.RSAPublicKey):
        return "ps256"
    raise KeyUnusable(f"{where} is for a kind of key that C2PA does not know; use P-256, Ed25519 or RSA.")


def is_signature(certificate: x509.Certificate, algorithm: str, signature: bytes, data: bytes) -> bool:
    """Whether a raw signature of the data was made with the certificate's key."""
    public = certificate.public_key()
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            numbers = (int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
            public.verify(utils.encode_dss_signature(*numbers), data, ec.ECDSA(_HASHES[algorithm]))
        elif isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, data)
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, data, _pss(), _HASHES[algorithm])
        else:
            return False
    except (InvalidSignature, KeyError):
        return False
    return True


def anchor_of(chain: Certificates, anchors: Certificates, when: datetime) -> x509.Certificate | None:
    """The trusted certificate that a chain leads to by valid signatures; None where it leads to none."""
    current = chain[0]
    for candidate in (*chain[1:], None):
        if not current.not_valid_before_utc <= when < current.not_valid_after_utc:
            return None
        for anchor in anchors:
            if current == anchor or _issued(current, anchor):
                return anchor
        if candidate is None or not _issued(current, candidate):
            return None
        current = candidate
    return None


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        is_authority = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return is_authority


def _pss() -> padding.PSS:
    return padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)


def _key_signer(path: Path, algorithm: str, leaf: x509.Certificate) -> Callable[[bytes], bytes]:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise KeyUnusable(
            f"The private key {path} cannot be read ({error.strerror}); put it there or run lpsuite provenance init."
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(f"{path} is not a private key in unencrypted PEM form; put one there.") from error
    if key.public_key() != leaf.public_key() or not isinstance(key, PrivateKey):
        raise KeyUnusable(
            f"The private key {path} does not belong to the certificate; put its own key there."
        )

    def sign(data: bytes) -> bytes:
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return _raw(key.sign(data, ec.ECDSA(_HASHES[algorithm])), key.curve.key_size)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, _pss(), _HASHES[algorithm])
        return key.sign(data)

    return sign


def _command_signer(
    command: tuple[str, ...], algorithm: str, leaf: x509.Certificate
) -> Callable[[bytes], bytes]:
    def sign(data: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the studio's own command, without a shell
                command, input=data, capture_output=True, timeout=SIGNER_TIMEOUT_S, check=True
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise KeyUnusable(f"The signer {command[0]} failed ({error}); check the command.") from error
        signature = done.stdout
        public = leaf.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey) and signature[:1] == b"\x30":
            with suppress(ValueError):  # a raw signature may begin with the same byte
                signature = _raw(signature, public.curve.key_size)
        if not is_signature(leaf, algorithm, signature, data):
            raise KeyUnusable(
                f"The signer {command[0]} printed no signature of the certificate's key; check both."
            )
        return signature

    return sign


def _raw(der: bytes, bits: int) -> bytes:
    """An ECDSA signature as r and s side by side."""
    size = (bits + 7) // 8
    return b"".join(number.to_bytes(size) for number in utils.decode_dss_signature(der))


def _name(organization: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _builder(
    name: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, name, public, x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _usage(*allowed: str) -> x509.KeyUsage:
    names = (
        *(
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
        ),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: name in allowed for name in names})
