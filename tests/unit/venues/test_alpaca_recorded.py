"""Every recorded body of Alpaca is read by our adapter, or by the SDK, or listed with a reason.

The bodies are the examples of the published documentation and a few recorded answers. They are not
part of the repository. `TABLE` says how many there are of each kind.
"""

import json
import warnings
from collections import Counter
from typing import NamedTuple

import msgspec
import pytest
from interlock.venues.alpaca.errors import AlpacaRefusedError, AlpacaWireError, failure
from interlock.venues.alpaca.market import (
    BarData,
    ErrorData,
    NewsData,
    QuoteData,
    SuccessData,
    TradeData,
    messages,
    nanos,
)
from interlock.venues.alpaca.orders import (
    AccountData,
    ActivityData,
    HandshakeFrame,
    OrderData,
    OrderEventData,
    PositionData,
    TradeUpdateFrame,
)
from interlock.venues.alpaca.source import ClockData

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.data.models import BarSet, NewsSet, QuoteSet, TradeSet
    from alpaca.trading.models import Asset, Order

FOLDER = "venue_payloads/alpaca"
NOT_READ = {
    "broker": "Broker interface: for firms that hold accounts for others",
    "request": "a request, which we write and do not read",
    "calendar": "sessions come from exchange_calendars",
    "corporate action": "corporate actions are not taken in",
    "watchlist": "watch lists are not used",
    "other money": "fees and dividends reach us as the account's cash",
    "crypto book": "crypto comes through ccxt",
    "screener": "movers, conditions and pictures are not used",
    "version 1": "the first version of the data interface, which is closed",
    "cancel-all": "orders are ended one by one, by name",
    "configuration": "the account's settings are not touched",
    "other streams": "not subscribed to: daily bars and trading states",
}


class Recorded(NamedTuple):
    source: str
    where: str
    body: object


def recorded(shared_data):
    folder = shared_data / FOLDER
    for path in sorted(folder.glob("*.json")):
        yield Recorded(path.name, "", json.loads(path.read_text()))
    for line in (folder / "docs_examples.jsonl").read_text().splitlines():
        row = json.loads(line)
        yield Recorded(row["source"], row["where"], row["body"])
    for line in (folder / "ccxt_recorded_subset.jsonl").read_text().splitlines():
        row = json.loads(line)
        yield Recorded("ccxt_recorded_subset.jsonl", row["method"], row["body"])
    for line in (folder / "observed_errors.jsonl").read_text().splitlines():
        yield Recorded("observed_errors.jsonl", "", json.loads(json.loads(line)["body"]))


def kind_of(one):
    """Return the name of a reader, or of a reason not to read."""
    body = one.body
    keys = set(body) if isinstance(body, dict) else set().union(*body)
    for name, fits in KINDS:
        if fits(keys, body, one):
            return name
    return None


def has(*names):
    return lambda keys, _body, _one: set(names) <= keys


def any_of(*names):
    return lambda keys, _body, _one: bool(set(names) & keys)


def comes_from(*parts):
    return lambda _keys, _body, one: any(part in one.source + one.where for part in parts)


def is_request(keys, body, _one):
    return "action" in keys or (isinstance(body, dict) and "type" in keys and "id" not in keys)


def is_snapshot(_keys, body, _one):
    parts = body.values() if isinstance(body, dict) else [None]
    return all(isinstance(part, dict) and "latestTrade" in part for part in parts)


def is_crypto_book(_keys, _body, one):
    return "orderbook" in one.source + one.where or "xbbo" in one.source.lower() + one.where.lower()


KINDS = [
    ("trade_updates", lambda _k, body, _o: "stream" in body and body["stream"] == "trade_updates"),
    ("handshake", has("stream", "data")),
    ("order event", has("event", "order")),
    ("fill", has("activity_type", "cum_qty")),
    ("other money", has("activity_type")),
    ("version 1", any_of("ev", "askprice", "last")),
    ("crypto book", is_crypto_book),
    ("cancel-all", lambda keys, body, _o: isinstance(body, list) and {"id", "status"} == keys),
    ("orders in answers", has("status", "body")),
    ("documented errors", lambda keys, _b, _o: keys == {"status", "reason"}),
    ("error", lambda keys, _b, _o: {"code", "message"} <= keys),
    ("stream messages", lambda keys, body, _o: isinstance(body, list) and "T" in keys),
    ("news item", has("headline")),
    ("other streams", has("T")),
    ("order", has("client_order_id", "filled_qty")),
    ("request", is_request),
    ("broker", comes_from("ACH", "funding", "rebalancing", "journals", "/Bank/", "Journal")),
    ("broker", comes_from("Transfer", "Document", "OAuth", "oauth", "JNL", "TrustedContact")),
    ("account", has("buying_power", "cash")),
    ("position", has("avg_entry_price", "qty")),
    ("corporate action", has("ca_type")),
    ("broker", comes_from("AccountExtended", "AccountUpdate", "oas/broker", "agreement", "token")),
    (
        "broker",
        comes_from(
            "broker-api/accounts", "broker-api/documents", "crypto-trading-broker.md block1"
        ),
    ),
    ("clock", has("timestamp", "is_open")),
    ("asset", has("class", "exchange")),
    ("news", has("news")),
    ("snapshot", has("latestTrade")),
    ("snapshot", is_snapshot),
    ("bars", any_of("bars", "bar")),
    ("trades", any_of("trades", "trade")),
    ("quotes", any_of("quotes", "quote")),
    ("bar", has("o", "h", "l", "c", "v")),
    ("trade", has("p", "s", "i")),
    ("quote", has("bp", "ap")),
    ("watchlist", comes_from("atchlist")),
    ("calendar", comes_from("alendar")),
    ("configuration", has("dtbp_check")),
    ("screener", any_of("gainers", "spreads", "size", "4")),
    ("cancel-all", has("id", "status")),
    ("broker", comes_from("broker")),
]


def rows(body, many, one):
    """Yield symbol and row of an answer of any of the shapes that market data come in."""
    found = body.get(many, body.get(one))
    if found is None:
        return
    if isinstance(found, list) or one in body:
        found = {body.get("symbol", "?"): found}
    for symbol, some in found.items():
        for row in some if isinstance(some, list) else [some]:
            yield symbol, row


def read_market(tag, kind, sdk, many, one):
    def read(body):
        found = list(rows(body, many, one)) if {many, one} & body.keys() else [("?", body)]
        for symbol, row in found:
            assert msgspec.convert({"T": tag, "S": symbol, **row}, kind)
            if tag != "b" or {"n", "vw"} <= row.keys():  # older examples lack what the SDK wants
                assert len(sdk({symbol: [row]}).data[symbol]) == 1
            assert nanos(row["t"]) > 0

    return read


read_bars = read_market("b", BarData, BarSet, "bars", "bar")
read_trades = read_market("t", TradeData, TradeSet, "trades", "trade")
read_quotes = read_market("q", QuoteData, QuoteSet, "quotes", "quote")


def read_snapshot(body):
    for part in [body] if "latestTrade" in body else body.values():
        read_trades({"trade": part["latestTrade"]})
        read_quotes({"quote": part["latestQuote"]})
        for name in ("minuteBar", "dailyBar", "prevDailyBar"):
            if part.get(name):
                read_bars({"bar": part[name]})


def read_order(body):
    found = msgspec.convert(body, OrderData)
    assert found.leaves == found.qty - found.filled if found.qty else found.leaves == 0


def read_documented_errors(body):
    for each in body:
        error = failure(each["status"], json.dumps({"message": each["reason"]}))
        says_nothing = each["status"] == 429 or each["status"] >= 500
        expected = AlpacaWireError if says_nothing else AlpacaRefusedError
        assert isinstance(error, expected)
        assert each["reason"] in str(error)


def read_error(body):
    error = failure(body["code"] // 100_000, json.dumps(body))
    assert isinstance(error, AlpacaRefusedError)
    assert str(error) == f"{error.code}: {body['message']}"


def read_messages(body):
    for message in messages(json.dumps(body)):
        assert isinstance(message, ErrorData | SuccessData)
    assert len(messages(json.dumps(body))) == len(body)


def read_news_item(body):
    item = msgspec.convert({**body, "T": "n"}, NewsData)
    assert item.raw().ts == nanos(body["created_at"])


def read_news(body):
    for item in body["news"]:
        read_news_item(item)
    assert len(NewsSet(body).data["news"]) == len(body["news"])


def read_as(kind, *sdk):
    def read(body):
        msgspec.convert(body, kind)
        for model in sdk:
            model(**body)

    return read


def read_trade_update(body):
    found = msgspec.convert(body, TradeUpdateFrame).data
    assert found.order.filled == found.qty
    Order(**body["data"]["order"])


def read_clock(body):
    assert nanos(msgspec.convert(body, ClockData).timestamp) > 0


READERS = {
    "trade_updates": read_trade_update,
    "handshake": read_as(HandshakeFrame),
    "order event": read_as(OrderEventData),
    "fill": read_as(ActivityData),
    "orders in answers": lambda body: [read_order(each["body"]) for each in body],
    "documented errors": read_documented_errors,
    "error": read_error,
    "stream messages": read_messages,
    "news item": read_news_item,
    "order": read_order,
    "account": read_as(AccountData),
    "position": read_as(PositionData),
    "clock": read_clock,
    "asset": read_as(dict, Asset),
    "news": read_news,
    "snapshot": read_snapshot,
    "bars": read_bars,
    "trades": read_trades,
    "quotes": read_quotes,
    "bar": read_bars,
    "trade": read_trades,
    "quote": read_quotes,
}


WHOLE = {"orders in answers", "documented errors", "stream messages"}


def each_of(body):
    return body if isinstance(body, list) else [body]


TABLE = {
    "account": 6,
    "asset": 7,
    "bar": 3,
    "bars": 12,
    "broker": 45,
    "calendar": 2,
    "cancel-all": 3,
    "clock": 5,
    "configuration": 2,
    "corporate action": 4,
    "crypto book": 4,
    "documented errors": 10,
    "error": 5,
    "fill": 4,
    "handshake": 3,
    "news": 1,
    "news item": 3,
    "order": 6,
    "order event": 1,
    "orders in answers": 2,
    "other money": 2,
    "other streams": 2,
    "position": 7,
    "quote": 4,
    "quotes": 15,
    "request": 14,
    "screener": 5,
    "snapshot": 6,
    "stream messages": 9,
    "trade": 2,
    "trade_updates": 1,
    "trades": 9,
    "version 1": 5,
    "watchlist": 5,
}


@pytest.mark.shared_data
def test_every_recorded_body_is_read_or_listed(shared_data):
    table = Counter()
    for one in recorded(shared_data):
        kind = kind_of(one)
        assert kind in READERS or kind in NOT_READ, one
        table[kind] += 1
        for body in [one.body] if kind in WHOLE else each_of(one.body):
            READERS.get(kind, lambda _: None)(body)
    assert dict(table) == TABLE


def test_no_reason_is_left_over():
    assert set(READERS) | set(NOT_READ) == set(TABLE)
    assert not set(READERS) & set(NOT_READ)
