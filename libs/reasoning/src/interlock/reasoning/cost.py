"""What tokens cost."""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from interlock.model.values import ZERO, require_not_negative

type Price = Callable[[int, int], Decimal]
"""Tokens in and tokens out to USD."""

_MILLION = Decimal(1_000_000)


class ConfiguredPrice(Struct, frozen=True, kw_only=True):
    """A price in USD per million tokens, for a model that no price list knows."""

    usd_per_million_in: Decimal
    usd_per_million_out: Decimal

    def __post_init__(self) -> None:
        require_not_negative("usd_per_million_in", self.usd_per_million_in)
        require_not_negative("usd_per_million_out", self.usd_per_million_out)

    def __call__(self, tokens_in: int, tokens_out: int) -> Decimal:
        bill = tokens_in * self.usd_per_million_in + tokens_out * self.usd_per_million_out
        return bill / _MILLION


def free(_tokens_in: int, _tokens_out: int) -> Decimal:
    """Return what a local model's tokens cost."""
    return ZERO


def listed_price(model: str, vendor: str) -> Price | None:
    """Return the price list's price of `model`, none where it does not know the model.

    The list comes with the package ``genai-prices`` and is not fetched.
    """
    # 0.4 s to import, and only cloud models need it.
    from genai_prices import Usage, calc_price

    def price(tokens_in: int, tokens_out: int) -> Decimal:
        usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out)
        return calc_price(usage, model, provider_id=vendor).total_price

    try:
        price(1, 1)
    except LookupError:
        return None
    return price


def most_tokens_in(*texts: str) -> int:
    """Return a number of tokens that `texts` will not exceed in practice.

    Half the bytes: tokenizers take 3 to 4 bytes of English or JSON a token, 2 at worst for digits.
    """
    return sum(len(text.encode()) for text in texts) // 2 + 64
