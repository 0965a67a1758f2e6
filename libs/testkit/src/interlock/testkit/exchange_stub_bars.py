"""The bars of the stub exchange: those a test has written down, else made of what was traded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(slots=True)
class StubBars:
    """`recorded` are rows as Binance writes them, of every symbol and interval."""

    recorded: list[list[Any]] = field(default_factory=list[list[Any]])
    _traded: dict[str, list[tuple[int, Decimal, Decimal]]] = field(
        default_factory=dict[str, list[tuple[int, Decimal, Decimal]]]
    )

    def add(self, symbol: str, at_ms: int, price: Decimal, quantity: Decimal) -> None:
        self._traded.setdefault(symbol, []).append((at_ms, price, quantity))

    def asked(self, asked: Mapping[str, str]) -> list[list[Any]]:
        """Return the answer to a request for bars."""
        rows = self.recorded or self._made(asked["symbol"], asked["interval"])
        since = int(asked.get("startTime", 0))
        return [row for row in rows if row[0] >= since][: int(asked.get("limit", 500))]

    def _made(self, symbol: str, interval: str) -> list[list[Any]]:
        step_ms = int(interval[:-1]) * _UNIT_MS[interval[-1]]
        traded: dict[int, list[tuple[Decimal, Decimal]]] = {}
        for at_ms, price, quantity in self._traded.get(symbol, []):
            traded.setdefault(at_ms - at_ms % step_ms, []).append((price, quantity))
        return [
            _row(start_ms, start_ms + step_ms - 1, trades)
            for start_ms, trades in sorted(traded.items())
        ]


def _row(start_ms: int, end_ms: int, trades: list[tuple[Decimal, Decimal]]) -> list[Any]:
    prices = [price for price, _ in trades]
    volume = sum(quantity for _, quantity in trades)
    turnover = sum(price * quantity for price, quantity in trades)
    inside = [prices[0], max(prices), min(prices), prices[-1], volume]
    return [start_ms, *map(str, inside), end_ms, str(turnover), len(trades), "0", "0", "0"]
