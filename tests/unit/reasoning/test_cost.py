from decimal import Decimal

from interlock.reasoning.cost import ConfiguredPrice, free, listed_price, most_tokens_in


def test_listed_model():
    price = listed_price("gpt-4o-mini", "openai")
    assert price is not None
    assert Decimal(0) < price(1_000, 500) < Decimal("0.01")


def test_unlisted_model_has_no_price():
    assert listed_price("nobody-knows-1", "openai") is None


def test_configured_price():
    price = ConfiguredPrice(usd_per_million_in=Decimal(2), usd_per_million_out=Decimal(10))
    assert price(500_000, 100_000) == Decimal(2)
    assert free(10, 10) == 0


def test_estimate_is_no_less_than_what_tokenizers_make_of_digits():
    assert most_tokens_in("0.123 " * 100) >= 300
