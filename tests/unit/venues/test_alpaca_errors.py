"""Every refusal of Alpaca has a code of ours and keeps the venue's words."""

import json

import pytest
from interlock.venues.alpaca.config import AlpacaConfig, AlpacaKeys, keys_from
from interlock.venues.alpaca.errors import (
    AlpacaRefusedError,
    AlpacaWireError,
    RefusalCode,
    failure,
)
from interlock.venues.port import VenueUnavailableError

REFUSALS = [
    (401, "request is not authorized", RefusalCode.UNAUTHORIZED),
    (401, "unauthorized.", RefusalCode.UNAUTHORIZED),
    (403, "forbidden.", RefusalCode.UNAUTHORIZED),
    (403, "insufficient buying power", RefusalCode.INSUFFICIENT_FUNDS),
    (403, "insufficient day trading buying power", RefusalCode.INSUFFICIENT_FUNDS),
    (
        403,
        "insufficient qty available for order (requested: 10, available: 0)",
        RefusalCode.INSUFFICIENT_QUANTITY,
    ),
    (
        403,
        "insufficient balance for LINK (requested: 190.1, available: 186.3)",
        RefusalCode.INSUFFICIENT_QUANTITY,
    ),
    (
        403,
        "potential wash trade detected. use complex orders",
        RefusalCode.WASH_TRADE,
    ),
    (403, "account is not allowed to short", RefusalCode.ACCOUNT_BLOCKED),
    (403, "trade denied due to pattern day trading protection", RefusalCode.FORBIDDEN),
    (404, "order not found for 7", RefusalCode.NOT_FOUND),
    (404, "position not found: NVDA", RefusalCode.NOT_FOUND),
    (422, "client_order_id must be unique", RefusalCode.DUPLICATE_ID),
    (422, 'asset "NOPE" not found', RefusalCode.UNKNOWN_SYMBOL),
    (422, "asset AAPL is not tradable", RefusalCode.HALTED),
    (422, "asset TWTR is not active", RefusalCode.HALTED),
    (422, "market is closed", RefusalCode.MARKET_CLOSED),
    (
        422,
        "invalid limit_price 1.123. sub-penny increment does not fulfill minimum pricing criteria",
        RefusalCode.PRECISION,
    ),
    (422, "fractional orders must be DAY orders", RefusalCode.PRECISION),
    (422, "cost basis must be >= minimal amount of order 1", RefusalCode.MIN_NOTIONAL),
    (422, 'order is already in "filled" state', RefusalCode.NOT_CANCELABLE),
    (422, "order is not cancelable", RefusalCode.NOT_CANCELABLE),
    (400, "qty is required", RefusalCode.INVALID),
]


@pytest.mark.parametrize(("status", "words", "code"), REFUSALS, ids=[row[1] for row in REFUSALS])
def test_refusals(status, words, code):
    found = failure(status, json.dumps({"code": status * 100_000, "message": words}))
    assert isinstance(found, AlpacaRefusedError)
    assert found.code is code
    assert str(found) == f"{code}: {words}"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_statuses_that_say_nothing_of_the_order(status):
    found = failure(status, '{"message": "try again"}')
    assert isinstance(found, AlpacaWireError)
    assert str(found) == f"HTTP {status}: try again"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 500, 504])
@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "<html><body><h1>403 Forbidden</h1></body></html>",
        "[]",
        "{}",
        "null",
        '{"message":',
    ],
)
def test_what_is_not_in_the_venues_words_is_not_its_word(status, body):
    assert isinstance(failure(status, body), AlpacaWireError)


def test_all_recorded_errors_have_a_code(shared_data):
    lines = (shared_data / "venue_payloads/alpaca/observed_errors.jsonl").read_text().splitlines()
    found = {}
    for line in lines:
        body = json.loads(line)["body"]
        status = json.loads(body)["code"] // 100_000
        error = failure(status, body)
        assert isinstance(error, AlpacaRefusedError)
        assert json.loads(body)["message"] in str(error)
        found[error.code] = found.get(error.code, 0) + 1
    assert found == {RefusalCode.NOT_FOUND: 2, RefusalCode.INSUFFICIENT_QUANTITY: 2}


def test_keys_are_named_where_they_are_missing_and_never_shown():
    config = AlpacaConfig(api_key_env="MY_KEY", secret_key_env="MY_SECRET")
    with pytest.raises(VenueUnavailableError, match="MY_KEY and MY_SECRET"):
        keys_from(config, {})
    with pytest.raises(VenueUnavailableError, match="put them into MY_SECRET"):
        keys_from(config, {"MY_KEY": "PKSECRET1"})
    keys = keys_from(config, {"MY_KEY": "PKSECRET1", "MY_SECRET": "s3cr3t-words"})
    assert "PKSECRET1" not in repr(keys)
    assert keys.hide("PKSECRET1 asked with\n s3cr3t-words") == "*** asked with ***"


def test_short_values_are_no_secrets_to_hide():
    assert AlpacaKeys("a", "b").hide("abba") == "abba"


def test_addresses():
    assert AlpacaConfig().order_stream == "wss://paper-api.alpaca.markets/stream"
    assert AlpacaConfig(paper=False).trading == "https://api.alpaca.markets"
    stub = AlpacaConfig(trading_url="http://127.0.0.1:80/")
    assert (stub.trading, stub.order_stream) == ("http://127.0.0.1:80", "ws://127.0.0.1:80/stream")


@pytest.mark.parametrize("name", ["answer_timeout_seconds", "watch_seconds", "at_once"])
def test_limits_are_above_zero(name):
    with pytest.raises(ValueError, match=name):
        AlpacaConfig(**{name: 0})
