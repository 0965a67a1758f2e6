"""Which adapter a desk is given, and which money it may touch."""

from decimal import Decimal

import msgspec
import pytest
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.model.values import TradingMode
from interlock.venues.alpaca.source import AlpacaSource
from interlock.venues.alpaca.venue import AlpacaVenue
from interlock.venues.ccxt_source import CcxtSource
from interlock.venues.ccxt_venue import CcxtVenue
from interlock.venues.registry import VenueConfigError, has_keys, source_for, venue_for

KEYS = {"ALPACA_API_KEY": "k" * 20, "ALPACA_SECRET_KEY": "s" * 20}


def sections(**raw):
    def read(service, kind):
        return msgspec.convert(raw.get(service, {}), kind)

    return read


def desk(venue, **changes):
    plain = {
        "name": "d",
        "account": "a",
        "venue": venue,
        "cadence_seconds": 5,
        "equity_usd": Decimal(1),
        "instruments": (Instrument(instrument_id="SPY", venue=venue),),
    }
    return DeskConfig(**(plain | changes))


LIVE = {"mode": TradingMode.LIVE, "live_allowed": True}
KRAKEN = {"ccxt": {"exchange": "kraken"}}


async def test_the_section_of_the_venues_name_says_how_it_is_reached():
    alpaca = venue_for(desk("alpaca"), sections(), KEYS)
    exchange = venue_for(desk("ccxt", **LIVE), sections(**KRAKEN), {})
    assert isinstance(alpaca, AlpacaVenue)
    assert isinstance(exchange, CcxtVenue)
    await alpaca.close()
    await exchange.close()


async def test_a_source_is_found_by_its_name():
    alpaca = source_for("alpaca", ["SPY"], 60, sections(), KEYS)
    exchange = source_for("ccxt", ["BTC/USD"], 60, sections(**KRAKEN), {})
    assert isinstance(alpaca, AlpacaSource)
    assert isinstance(exchange, CcxtSource)
    await alpaca.close()
    await exchange.close()


@pytest.mark.parametrize(
    ("venue", "raw"),
    [("alpaca", {"alpaca": {"paper": False}}), ("ccxt", KRAKEN)],
    ids=["real alpaca", "an exchange"],
)
def test_real_money_is_refused_to_a_desk_that_is_not_live(venue, raw):
    with pytest.raises(VenueConfigError, match="real money"):
        venue_for(desk(venue), sections(**raw), KEYS)


@pytest.mark.parametrize("name", ["paper", "nyse", ""])
def test_what_nobody_has_an_adapter_for_is_refused_by_name(name):
    with pytest.raises(VenueConfigError, match="known are"):
        venue_for(desk(name), sections(), KEYS)
    with pytest.raises(VenueConfigError, match="known are alpaca, ccxt"):
        source_for(name, [], 60, sections(), KEYS)


def test_missing_keys_are_named_and_unknown_exchanges_too():
    with pytest.raises(VenueConfigError, match="ALPACA_SECRET_KEY"):
        venue_for(desk("alpaca"), sections(), {"ALPACA_API_KEY": "k"})
    with pytest.raises(VenueConfigError, match="nowhere"):
        source_for("ccxt", [], 60, sections(ccxt={"exchange": "nowhere"}), {})


def test_keys_are_there_where_every_variable_that_is_named_is_set():
    assert has_keys("alpaca", sections(), KEYS)
    assert not has_keys("alpaca", sections(), {})
    assert has_keys("ccxt", sections(**KRAKEN), {})
    named = {"exchange": "kraken", "key_env": "K"}
    assert not has_keys("ccxt", sections(ccxt=named), {})


async def test_a_sandbox_has_no_real_money_and_an_exchange_without_one_is_not_taken_for_it():
    sandbox = {"ccxt": {"exchange": "binance", "paper": True}}
    made = venue_for(desk("ccxt"), sections(**sandbox), {})
    assert "testnet" in made._exchange.urls["api"]["public"]
    await made.close()
    with pytest.raises(VenueConfigError, match="no sandbox"):
        venue_for(desk("ccxt"), sections(ccxt={"exchange": "kraken", "paper": True}), {})
