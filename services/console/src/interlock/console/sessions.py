"""Who is logged in: signed cookies, so that a restart of the console logs nobody out.

Theory of operation. The cookie says which token it came from, until when it holds, and which one
it is; an HMAC over that makes it ours. A session ends with its token, with its time, and with a
logout, whose number is kept until the time would have ended it. The CSRF word is another HMAC of
the same session: a page of somebody else can send our cookie, and cannot read the word.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.console.tokens import (
    TOKENS_FILE,
    Token,
    TokenError,
    hash_of,
    read_tokens,
    session_key,
    write_secret,
)
from interlock.console.views.people import Role

COOKIE = "interlock_session"
ENDED_FILE = "console-ended.json"
CSRF_HEADER = "x-csrf-token"
NANOS_PER_SECOND = 1_000_000_000
_SECONDS_PER_HOUR = 3_600
_MOST_ENDED = 10_000
_DIGEST_BYTES = 32


class _Claims(Struct, frozen=True, kw_only=True):
    """What a cookie says. `expires_at` is UNIX ns of the machine's clock."""

    session_id: str
    token_id: str
    expires_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A person who is logged in."""

    session_id: str
    name: str
    role: Role
    expires_at: int
    csrf: str


@dataclass(slots=True)
class Sessions:
    """`folder` is the secrets folder; tokens are read again whenever their file changes."""

    folder: Path
    hours: int
    now_ns: Callable[[], int] = time.time_ns
    _key: bytes = b""
    _tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    _read_at: tuple[int, int] = (0, 0)
    _ended: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        self._key = session_key(self.folder)
        try:
            path = self.folder / ENDED_FILE
            self._ended = msgspec.json.decode(path.read_bytes(), type=dict[str, int])
        except (FileNotFoundError, msgspec.DecodeError):
            self._ended = {}

    def log_in(self, token: str) -> tuple[Session, str] | None:
        """Return the session and its cookie, none for a token that is nobody's."""
        digest = hash_of(token)
        for known in self._current().values():
            if hmac.compare_digest(known.sha256, digest):
                expires = self.now_ns() + self.hours * _SECONDS_PER_HOUR * NANOS_PER_SECOND
                claims = _Claims(
                    session_id=secrets.token_hex(16), token_id=known.token_id, expires_at=expires
                )
                return self._session(claims, known), self._sealed(claims)
        return None

    def of(self, cookie: str | None) -> Session | None:
        """Return whose cookie this is, none where it holds no more or is not ours."""
        claims = self._opened(cookie) if cookie else None
        if claims is None or claims.expires_at <= self.now_ns() or claims.session_id in self._ended:
            return None
        token = self._current().get(claims.token_id)
        return None if token is None else self._session(claims, token)

    def holds(self, cookie: str | None) -> bool:
        """Return whether this cookie lets somebody in; with the tokens unreadable, nobody."""
        try:
            return self.of(cookie) is not None
        except TokenError:
            return False

    def log_out(self, session: Session) -> None:
        """End a session, also for whoever has copied its cookie."""
        now = self.now_ns()
        self._ended[session.session_id] = session.expires_at
        still = {name: until for name, until in self._ended.items() if until > now}
        newest = sorted(still.items(), key=lambda one: one[1])[-_MOST_ENDED:]
        self._ended = dict(newest)
        write_secret(self.folder / ENDED_FILE, msgspec.json.encode(self._ended).decode())

    def is_genuine(self, session: Session, csrf: str | None) -> bool:
        return csrf is not None and hmac.compare_digest(
            session.csrf.encode(), csrf.encode(errors="replace")
        )

    def _current(self) -> dict[str, Token]:
        try:
            found = (self.folder / TOKENS_FILE).stat()
            mark = (found.st_ino, found.st_mtime_ns)
        except FileNotFoundError:
            mark = (0, 0)
        if mark != self._read_at:
            self._tokens = {one.token_id: one for one in read_tokens(self.folder)}
            self._read_at = mark
        return self._tokens

    def _session(self, claims: _Claims, token: Token) -> Session:
        return Session(
            session_id=claims.session_id,
            name=token.name,
            role=token.role,
            expires_at=claims.expires_at,
            csrf=self._mac(b"csrf", claims.session_id.encode()).hex(),
        )

    def _sealed(self, claims: _Claims) -> str:
        body = msgspec.json.encode(claims)
        return base64.urlsafe_b64encode(self._mac(b"session", body) + body).decode()

    def _opened(self, cookie: str) -> _Claims | None:
        try:
            whole = base64.urlsafe_b64decode(cookie.encode("ascii"))
            mac, body = whole[:_DIGEST_BYTES], whole[_DIGEST_BYTES:]
            if not hmac.compare_digest(mac, self._mac(b"session", body)):
                return None
            return msgspec.json.decode(body, type=_Claims)
        except (ValueError, msgspec.DecodeError):
            return None

    def _mac(self, purpose: bytes, body: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + body, hashlib.sha256)


@dataclass(slots=True)
class LoginRate:
    """How many wrong tokens are borne, from one address and from all, in `window_seconds`."""

    per_address: int = 5
    overall: int = 60
    window_seconds: float = 60.0
    addresses: int = 1_000
    now: Callable[[], float] = time.monotonic
    _by_address: OrderedDict[str, deque[float]] = field(
        default_factory=OrderedDict[str, "deque[float]"]
    )
    _all: deque[float] = field(default_factory=deque[float])

    def wait_seconds(self, address: str) -> float:
        """Return how long this address has to wait before it may try again; 0 where it may."""
        now = self.now()
        self._all = _within(self._all, now - self.window_seconds)
        own = _within(self._by_address.get(address, deque()), now - self.window_seconds)
        waits = [0.0]
        if len(own) >= self.per_address:
            waits.append(own[0] + self.window_seconds - now)
        if len(self._all) >= self.overall:
            waits.append(self._all[0] + self.window_seconds - now)
        return max(waits)

    def failed(self, address: str) -> None:
        now = self.now()
        own = _within(self._by_address.pop(address, deque()), now - self.window_seconds)
        own.append(now)
        self._by_address[address] = own
        self._all.append(now)
        while len(self._by_address) > self.addresses:
            self._by_address.popitem(last=False)


def _within(times: deque[float], since: float) -> deque[float]:
    return deque(one for one in times if one > since)
