"""Ed25519: the gate signs and exec verifies orders; policy signs and the gate verifies rules."""

import base64
import hashlib
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from interlock.runtime.config import ConfigError

PRIVATE_KEY_FILE = "gate.key"
PUBLIC_KEY_FILE = "gate.pub"
RULES_PRIVATE_KEY_FILE = "policy.key"
RULES_PUBLIC_KEY_FILE = "policy.pub"
JOURNAL_PRIVATE_KEY_FILE = "journal.key"
JOURNAL_PUBLIC_KEY_FILE = "journal.pub"
PAST_KEYS = "past"
_KEY_MODE = 0o600
_FOLDER_MODE = 0o700


class SignsOrders(Protocol):
    """What the gate needs: a signature over bytes, and the name of the key."""

    @property
    def key_id(self) -> str: ...

    def sign(self, message: bytes) -> str: ...


class VerifiesOrders(Protocol):
    """What exec needs of the same."""

    @property
    def key_id(self) -> str: ...

    def verify(self, message: bytes, signature: str) -> bool: ...


class Signer:
    """The private half. `key_id` is the first 16 hexadecimal digits of the public key's hash."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = key_id(key.public_key())

    def sign(self, message: bytes) -> str:
        return base64.b64encode(self._key.sign(message)).decode()

    @property
    def public_key(self) -> Ed25519PublicKey:
        return self._key.public_key()


class Verifier:
    """The public half."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.key_id = key_id(key)

    def verify(self, message: bytes, signature: str) -> bool:
        """Return whether `signature` (base64) is the gate's over `message`."""
        try:
            self._key.verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def create_keys(folder: Path) -> None:
    """Write the key pairs of orders and of rules, unless they are there.

    The private files are readable by their owner only.
    """
    _create(folder / PRIVATE_KEY_FILE, folder / PUBLIC_KEY_FILE)
    _create(folder / RULES_PRIVATE_KEY_FILE, folder / RULES_PUBLIC_KEY_FILE)


def _create(private: Path, public: Path) -> None:
    if private.exists():
        if not public.exists():
            _write_public(public, _signer(private).public_key)
        return
    private.parent.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write_public(public, key.public_key())
    half_written = private.with_suffix(".new")
    half_written.unlink(missing_ok=True)
    half_written.touch(mode=_KEY_MODE)
    half_written.write_bytes(pem)
    half_written.rename(private)


def _write_public(file: Path, key: Ed25519PublicKey) -> None:
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    file.write_bytes(pem)


def load_signer(folder: Path) -> Signer:
    """Return the gate's own half; only the gate may call this."""
    return _signer(folder / PRIVATE_KEY_FILE)


def load_verifier(folder: Path) -> Verifier:
    return _verifier(folder / PUBLIC_KEY_FILE)


def load_rules_signer(folder: Path) -> Signer:
    """Return the policy service's own half; only the policy service may call this."""
    return _signer(folder / RULES_PRIVATE_KEY_FILE)


def load_rules_verifier(folder: Path) -> Verifier:
    return _verifier(folder / RULES_PUBLIC_KEY_FILE)


def journal_signer(folder: Path) -> Signer:
    """Return the key that signs the journal's head and nothing else, made at the first start."""
    private = folder / JOURNAL_PRIVATE_KEY_FILE
    _create(private, folder / JOURNAL_PUBLIC_KEY_FILE)
    return _signer(private)


def journal_verifier(folder: Path) -> Verifier:
    return _verifier(folder / JOURNAL_PUBLIC_KEY_FILE)


def known_verifiers(folder: Path, public_key_file: str) -> dict[str, Verifier]:
    """Return the public half of a key and of those that were in its place before, by key id."""
    name = Path(public_key_file)
    past = sorted((folder / PAST_KEYS).glob(f"{name.stem}-*{name.suffix}"))
    verifiers = [_verifier(file) for file in (folder / name, *past)]
    return {verifier.key_id: verifier for verifier in verifiers}


def rotate_gate_key(folder: Path) -> tuple[str, str]:
    """Put a new key in the place of the gate's; return the ids of the old one and the new.

    The old public half is kept, so that what it signed can still be verified; the old private half
    is gone. Without a private half, as after a crash in between, the next start makes both anew.
    """
    private, public = folder / PRIVATE_KEY_FILE, folder / PUBLIC_KEY_FILE
    old = _signer(private)
    kept = folder / PAST_KEYS / f"{public.stem}-{old.key_id}{public.suffix}"
    kept.parent.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    _write_public(kept, old.public_key)
    private.unlink()
    _create(private, public)
    return old.key_id, _signer(private).key_id


def _require_private(file: Path) -> None:
    mode = file.stat().st_mode & 0o777
    if mode & ~_KEY_MODE:
        raise ConfigError(
            f"{file} has mode {mode:04o}, and others must not read a key: `chmod 600 {file}`, and "
            "if they could, `interlock keys rotate`"
        )


def _signer(file: Path) -> Signer:
    _require_private(file)
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), None)
    except ValueError as error:
        raise ConfigError(f"{file} holds no key that can be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{file} holds no Ed25519 key")
    return Signer(key)


def _verifier(file: Path) -> Verifier:
    try:
        key = serialization.load_pem_public_key(file.read_bytes())
    except ValueError as error:
        raise ConfigError(f"{file} holds no key that can be read: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{file} holds no Ed25519 key")
    return Verifier(key)


def throwaway_signer() -> Signer:
    """Return a signer whose key lives as long as the process: backtests and tests."""
    return Signer(Ed25519PrivateKey.generate())
