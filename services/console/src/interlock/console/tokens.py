"""Login tokens on the disk: a person's name, a role, and the hash of a secret they were given.

Theory of operation. ``secrets/console-tokens.json`` holds no token, only hashes, so that who reads
it cannot log in. The first start makes one token with every right, in the name of who started it,
and leaves it in ``secrets/console-token`` for that person to read. A token is 256 random bits: its
plain SHA-256 cannot be guessed, and needs no salt.
"""

import getpass
import hashlib
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.console.views.people import Role
from interlock.wire.policy import names_person

TOKENS_FILE = "console-tokens.json"
FIRST_TOKEN_FILE = "console-token"  # noqa: S105 - the file's name
SECRET_FILE = "console-key"  # noqa: S105 - the file's name
SECRET_BYTES = 32
LONGEST_NAME = 60
_OWNER = "owner"


class Token(Struct, frozen=True, kw_only=True):
    """One person's way in. `token_id` names it where the secret must not stand."""

    token_id: str
    name: str
    role: Role
    sha256: str
    created_at: str


class TokenError(ValueError):
    """The tokens cannot be read, or this one cannot be made. The text says what to do."""


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def read_tokens(folder: Path) -> list[Token]:
    """Return the tokens of a secrets folder, none where there is no file.

    Raises
    ------
    TokenError
        When the file is there and cannot be read: nobody gets in until it is mended.
    """
    path = folder / TOKENS_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Token])
    except FileNotFoundError:
        return []
    except (msgspec.DecodeError, OSError) as error:
        raise TokenError(f"{path} cannot be read ({error}): delete it, and all tokens") from error


def add_token(folder: Path, name: str, role: Role) -> str:
    """Make a token for a person and return it; only its hash is kept.

    Raises
    ------
    TokenError
        When the name is nobody's.
    """
    plain = " ".join(name.split())
    if not names_person(plain) or len(plain) > LONGEST_NAME or not plain.isprintable():
        raise TokenError(f"{name!r} names nobody: give a person's name")
    token = secrets.token_urlsafe(SECRET_BYTES)
    fresh = Token(
        token_id=secrets.token_hex(8),
        name=plain,
        role=role,
        sha256=hash_of(token),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    _write(folder, [*read_tokens(folder), fresh])
    return token


def revoke(folder: Path, name: str) -> int:
    """Take every token of a person away and return how many there were."""
    kept = [one for one in read_tokens(folder) if one.name != " ".join(name.split())]
    gone = len(read_tokens(folder)) - len(kept)
    if gone:
        _write(folder, kept)
    return gone


def first_token(folder: Path) -> Path:
    """Make the first token where there is none yet, and return the file it was left in."""
    path = folder / FIRST_TOKEN_FILE
    if not read_tokens(folder):
        write_secret(path, add_token(folder, _own_name(), Role.APPROVER) + "\n")
    return path


def session_key(folder: Path) -> bytes:
    """Return the key that signs sessions, made up the first time it is asked for."""
    path = folder / SECRET_FILE
    try:
        kept = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        kept = b""
    if len(kept) != SECRET_BYTES:
        kept = secrets.token_bytes(SECRET_BYTES)
        write_secret(path, kept.hex() + "\n")
    return kept


def write_secret(path: Path, text: str) -> None:
    """Replace `path` in one step by a file that only its owner reads."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{time.time_ns()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)


def _write(folder: Path, tokens: list[Token]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = msgspec.json.format(msgspec.json.encode(tokens), indent=2).decode()
    write_secret(folder / TOKENS_FILE, body + "\n")


def _own_name() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        return _OWNER
    return name if names_person(name) else _OWNER
