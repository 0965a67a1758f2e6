"""Alpaca's market data as it stands on the wire, and as ours."""

from datetime import datetime
from functools import lru_cache

import msgspec
from msgspec import Struct

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import RawNews, RawQuote, RawTrade

MINUTE_SECONDS = 60
_NANO_DIGITS = 9
_TO_THE_MINUTE = len("2022-03-11T13:13")
_TO_THE_SECOND = len("2022-03-11T13:13:49")


class BarData(Struct, frozen=True, kw_only=True):
    """A bar of the history. It begins at `t`."""

    t: str
    o: float
    h: float
    l: float  # noqa: E741 - the venue's name
    c: float
    v: float

    def row(self, symbol: str, bar_seconds: int) -> RawBar:
        start = nanos(self.t)
        return RawBar(
            ts_start=start,
            ts_complete=start + bar_seconds * NANOS_PER_SECOND,
            symbol=symbol,
            open=self.o,
            high=self.h,
            low=self.l,
            close=self.c,
            volume=self.v,
        )


class MinuteBar(BarData, frozen=True, kw_only=True, tag_field="T", tag="b"):
    """A bar of the stream."""

    S: str


class UpdatedBar(BarData, frozen=True, kw_only=True, tag_field="T", tag="u"):
    """A bar once more, half a minute later, with the trades that were reported late."""

    S: str


class QuoteData(Struct, frozen=True, kw_only=True, tag_field="T", tag="q"):
    t: str
    S: str
    bp: float
    ap: float
    bs: float
    as_: float = msgspec.field(name="as")

    def raw(self) -> RawQuote:
        return RawQuote(nanos(self.t), self.S, self.bp, self.ap, self.bs, self.as_)


class TradeData(Struct, frozen=True, kw_only=True, tag_field="T", tag="t"):
    t: str
    S: str
    p: float
    s: float
    i: int = 0

    def raw(self) -> RawTrade:
        return RawTrade(nanos(self.t), self.S, self.p, self.s, str(self.i))


class NewsData(Struct, frozen=True, kw_only=True, tag_field="T", tag="n"):
    """An item of the stream; those of the history are the same without a `T`."""

    id: int
    headline: str
    created_at: str
    symbols: tuple[str, ...] = ()
    summary: str = ""
    author: str = ""
    url: str | None = None

    def raw(self) -> RawNews:
        return RawNews(
            ts=nanos(self.created_at),
            news_id=str(self.id),
            symbols=self.symbols,
            headline=self.headline,
            summary=self.summary,
            author=self.author,
            url=self.url or "",
        )


class SuccessData(Struct, frozen=True, kw_only=True, tag_field="T", tag="success"):
    msg: str = ""


class ErrorData(Struct, frozen=True, kw_only=True, tag_field="T", tag="error"):
    code: int = 0
    msg: str = ""


class SubscriptionData(Struct, frozen=True, kw_only=True, tag_field="T", tag="subscription"):
    """What we are subscribed to now."""


type MarketMessage = (
    MinuteBar
    | UpdatedBar
    | QuoteData
    | TradeData
    | NewsData
    | SuccessData
    | ErrorData
    | SubscriptionData
)

_DECODER: msgspec.json.Decoder[list[MarketMessage]] = msgspec.json.Decoder(list[MarketMessage])
_ONE: msgspec.json.Decoder[MarketMessage] = msgspec.json.Decoder(MarketMessage)


def messages(frame: str | bytes) -> list[MarketMessage]:
    """Return what a frame says. What we have not asked for, and cannot read, is left out.

    With trades come corrections and cancellations of trades, unasked, between all else.
    """
    try:
        return _DECODER.decode(frame)
    except msgspec.ValidationError:
        rows = msgspec.json.decode(frame, type=list[msgspec.Raw])
        return [one for row in rows for one in _readable(row)]


def _readable(row: msgspec.Raw) -> list[MarketMessage]:
    try:
        return [_ONE.decode(row)]
    except msgspec.ValidationError:
        return []


def nanos(text: str) -> UnixNanos:
    """Return UNIX ns of a time in RFC 3339, whose nanoseconds `datetime` would cut."""
    if not text.endswith("Z"):
        return _with_offset(text)
    fraction = text[_TO_THE_SECOND + 1 : -1]
    parts = int(fraction.ljust(_NANO_DIGITS, "0")[:_NANO_DIGITS]) if fraction else 0
    seconds = _minute(text[:_TO_THE_MINUTE]) + int(text[_TO_THE_MINUTE + 1 : _TO_THE_SECOND])
    return seconds * NANOS_PER_SECOND + parts


@lru_cache(maxsize=1024)
def _minute(text: str) -> int:
    return int(datetime.fromisoformat(text + "Z").timestamp())


def _with_offset(text: str) -> UnixNanos:
    """A time such as 2022-04-28T14:07:04.451420928-04:00."""
    rest = text[_TO_THE_SECOND:]
    at = max(rest.find("+"), rest.find("-"))
    if at < 0:
        raise ValueError(f"a time without a zone: {text!r}")
    fraction = rest[1:at]
    parts = int(fraction.ljust(_NANO_DIGITS, "0")[:_NANO_DIGITS]) if fraction else 0
    whole = datetime.fromisoformat(text[:_TO_THE_SECOND] + rest[at:])
    return int(whole.timestamp()) * NANOS_PER_SECOND + parts
