"""What ccxt says, read: errors by class, orders and trades into reports, names per exchange."""

import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.model.values import OrderType
from interlock.venues.ccxt_config import CcxtConfig, Secrets
from interlock.venues.ccxt_dialects import DIALECTS, Finding, dialect_of
from interlock.venues.ccxt_errors import CODES, Outcome, read_error
from interlock.venues.ccxt_reports import cash_names, ending, fee_parts, has_all_trades, trade_key
from interlock.venues.port import VenueCanceled, VenueExpired, VenueRejected

errors = pytest.importorskip("ccxt.base.errors")


def test_ccxt_is_not_imported_before_it_is_needed():
    code = (
        "import sys, interlock.venues.ccxt_venue, interlock.venues.ccxt_source;"
        "sys.exit('ccxt' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def every_error() -> list[type[Exception]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type)]


def test_every_class_that_has_a_code_is_one_of_ccxts_or_of_python():
    names = {kind.__name__ for kind in every_error()} | {"TimeoutError", "OSError"}
    assert set(CODES) <= names


def test_only_what_was_surely_refused_is_a_refusal():
    """A class that ccxt adds, or a failure nobody named, leaves the order's fate open."""
    refused = {
        kind.__name__
        for kind in every_error()
        if read_error(kind("no"), "no", {}).outcome is Outcome.REFUSED
    }
    assert refused == {
        "AccountNotEnabled", "AccountSuspended", "ArgumentsRequired", "AuthenticationError",
        "BadRequest", "BadSymbol", "ChecksumError", "ContractUnavailable", "InsufficientFunds",
        "InvalidNonce", "InvalidOrder", "ManualInteractionNeeded", "MarginModeAlreadySet",
        "MarketClosed", "NoChange", "NotSupported", "OperationRejected",
        "OrderImmediatelyFillable", "OrderNotCached", "OrderNotFillable", "PermissionDenied",
        "RateLimitExceeded", "RestrictedLocation",
    }  # fmt: skip
    for lost in (ValueError("?"), KeyError("id"), errors.ExchangeError("?"), TimeoutError()):
        assert read_error(lost, str(lost), {}).outcome is Outcome.LOST


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("InsufficientFunds", "insufficient_funds"),
        ("InvalidOrder", "invalid_order"),
        ("BadSymbol", "unknown_symbol"),
        ("OrderNotFound", "order_not_found"),
        ("DuplicateOrderId", "duplicate_id"),
        ("RateLimitExceeded", "rate_limit"),
        ("RequestTimeout", "timeout"),
        ("NetworkError", "network"),
        ("AuthenticationError", "not_allowed"),
        ("PermissionDenied", "not_allowed"),
        ("InvalidNonce", "clock_skew"),
        ("OnMaintenance", "maintenance"),
    ],
)
def test_the_nearest_class_gives_the_code(name, code):
    error = read_error(getattr(errors, name)("its words"), "its words", {})
    assert (error.code, error.reason) == (code, f"{code}: its words")


@pytest.mark.parametrize("exchange", DIALECTS)
def test_every_code_a_dialect_gives_has_an_outcome(exchange):
    for text, code in dialect_of(exchange).words.items():
        assert (
            read_error(Exception(text), f"it said {text}", dialect_of(exchange).words).code == code
        )


def test_each_row_names_its_source_and_what_has_none_is_looked_through():
    assert all(dialect.source for dialect in DIALECTS.values())
    plain = dialect_of("bitstamp")
    assert (plain.id_param, plain.finding, plain.stops) == ("clientOrderId", Finding.SCAN, set())


def test_coinbase_gets_our_id_under_its_own_name():
    """Ccxt drops `clientOrderId` there and makes one up."""
    coinbase = dialect_of("coinbase")
    assert (coinbase.id_param, coinbase.cancel_param) == ("client_order_id", "")
    assert OrderType.STOP not in coinbase.stops


OURS = "il-" + "0123456789abcdef" * 2


def test_kraken_gets_an_id_that_it_takes_for_a_uuid():
    assert dialect_of("kraken").name(OURS) == "0123456789abcdef" * 2
    assert dialect_of("binance").name(OURS) == OURS


@settings(deadline=None)
@given(st.text(alphabet="il-0123456789abcdefxyz", min_size=1, max_size=36))
def test_a_short_id_is_32_digits_and_always_the_same(name):
    short = dialect_of("kraken").name(name)
    assert len(short) == 32
    assert set(short) <= set("0123456789abcdef")
    assert short == dialect_of("kraken").name(name)


@pytest.mark.parametrize(
    ("status", "filled", "kind"),
    [
        ("canceled", "0", VenueCanceled),
        ("canceled", "1", VenueCanceled),
        ("expired", "1", VenueExpired),
        ("rejected", "0", VenueRejected),
        ("rejected", "1", VenueCanceled),
        ("closed", "1", VenueCanceled),
    ],
)
def test_an_end_is_told_once(status, filled, kind):
    order = {"status": status, "amount": 2.0, "info": {"reason": "User requested"}}
    [report] = ending("il-1", order, Decimal(filled))
    assert isinstance(report, kind)
    if isinstance(report, VenueCanceled | VenueRejected):
        assert report.reason == "User requested"


@pytest.mark.parametrize(("status", "filled"), [("open", "0"), ("open", "1"), ("closed", "2")])
def test_what_works_or_has_filled_has_no_other_end(status, filled):
    assert list(ending("il-1", {"status": status, "amount": 2.0}, Decimal(filled))) == []


def test_trade_ids_of_two_markets_are_kept_apart():
    trade = {"symbol": "BTC/USD", "id": "7"}
    assert trade_key(trade, per_market=True) == "BTC/USD:7"
    assert trade_key(trade, per_market=False) == "7"


def test_fees_are_all_counted_and_what_has_no_cost_is_none():
    fee = {"currency": "USD", "cost": 0.1}
    assert fee_parts({"fee": fee}) == [("USD", Decimal("0.1"))]
    assert fee_parts({"fees": [fee, fee], "fee": fee}) == [("USD", Decimal("0.1"))] * 2
    assert fee_parts({"fee": {"currency": None, "cost": None}}) == []


def test_an_order_has_all_its_trades_only_where_they_add_up():
    whole = {"id": "1", "price": 1.0, "amount": 0.5}
    assert has_all_trades({"filled": 0.5, "trades": [whole]})
    assert not has_all_trades({"filled": 0.6, "trades": [whole]})
    assert not has_all_trades({"filled": 0.5, "trades": [{**whole, "id": None}]})
    assert not has_all_trades({"filled": 0.5, "trades": None})


@settings(deadline=None)
@given(st.text("ABCDEF0123456789+/=", min_size=6, max_size=60))
def test_no_secret_is_in_what_is_told(secret):
    secrets = Secrets(key=secret, secret=secret + "x")
    told = secrets.redact(f"GET /?apiKey={secret}&signature=abc the key {secret}x is bad")
    assert told == "GET /?apiKey=***&signature=*** the key *** is bad"
    assert secret not in repr(secrets)
    assert (
        secret not in told.replace("***", "") or secret in "GET /?apiKey=&signature= the key is bad"
    )


def test_what_is_told_is_one_short_line():
    told = Secrets().redact("a\nb\t" + "c" * 1_000)
    assert "\n" not in told
    assert len(told) == 300


@pytest.mark.parametrize("name", ["timeout_seconds", "silence_seconds", "poll_seconds"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        CcxtConfig(exchange="kraken", **{name: value})


def test_cash_is_what_spot_trades_are_paid_in_and_no_coin_we_hold_or_margin():
    dollars = {"spot": True, "base": "BTC", "quote": "USD"}
    coins = {"spot": True, "base": "ETH", "quote": "BTC"}
    contract = {"spot": False, "base": "SOL", "quote": "USDT", "settle": "USDT"}
    assert cash_names([dollars]) == {"USD"}
    assert cash_names([dollars, coins]) == {"USD"}
    assert cash_names([coins]) == {"BTC"}
    assert cash_names([dollars, contract]) == {"USD"}
    assert cash_names([{"spot": True, "base": "BTC", "quote": "USDT"}, contract]) == set()
