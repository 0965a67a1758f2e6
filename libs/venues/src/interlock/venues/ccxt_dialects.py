"""Where the exchanges differ behind ccxt's one face: one row for each, with its source.

Theory of operation. ccxt maps most of an exchange, but not the life of a client order id. Each row
says how an order is named so that the exchange keeps the name, and how it is found again. What has
no row gets the plain one: `clientOrderId`, and a look through all orders since it was sent, which
is slow and always right.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from interlock.model.ids import CLIENT_ORDER_ID_PREFIX, derive_id
from interlock.model.values import OrderType

_HEX_32 = re.compile(r"[0-9a-f]{32}")


class Finding(Enum):
    """How an order is found by our id."""

    QUERY = auto()
    """One request: the exchange takes our id in place of its own."""
    FILTER = auto()
    """Its lists of open and closed orders can be narrowed to our id."""
    SCAN = auto()
    """Only by looking through the orders since it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One exchange.

    Attributes
    ----------
    source : str
        Where the row comes from.
    id_param : str
        How ccxt's `create_order` wants our id.
    cancel_param : str
        How its `cancel_order` wants it; empty where only the exchange's own id will do.
    stream_id_fields : tuple
        Where the exchange's own messages carry our id, where ccxt reads another field.
    short_ids : bool
        Whether ids are cut to 32 hexadecimal digits, which the exchange takes for a UUID.
    stops : frozenset
        The stops that end in a market order, without which a gap jumps over them.
    trade_ids_per_market : bool
        Whether two markets may use one trade id.
    watch_seconds : float
        How often, while orders work, REST is asked whether it knows more than the stream has told.
    words : mapping
        What the exchange says where ccxt's class of error says too little, and our code for it.
    """

    source: str
    id_param: str = "clientOrderId"
    cancel_param: str = ""
    finding: Finding = Finding.SCAN
    find_param: str = ""
    stream_id_fields: tuple[str, ...] = ()
    short_ids: bool = False
    stops: frozenset[OrderType] = frozenset()
    trade_ids_per_market: bool = True
    open_orders_by_market: bool = False
    watch_seconds: float = 1.0
    always: Mapping[str, str] = field(default_factory=dict[str, str])
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def name(self, client_order_id: str) -> str:
        """Return our id as this exchange takes it: the same each time."""
        if not self.short_ids:
            return client_order_id
        bare = client_order_id.removeprefix(CLIENT_ORDER_ID_PREFIX)
        return bare if _HEX_32.fullmatch(bare) else derive_id("short", client_order_id)


_PLAIN = Dialect(source="ccxt's manual, 'Placing orders': clientOrderId in params")

DIALECTS: dict[str, Dialect] = {
    "binance": Dialect(
        source="binance-spot-api-docs, rest-api.md: newClientOrderId is unique among open orders; "
        "GET and DELETE /api/v3/order take origClientOrderId; web-socket-streams: C, c",
        cancel_param="clientOrderId",
        finding=Finding.QUERY,
        find_param="clientOrderId",
        stops=frozenset({OrderType.STOP}),
        open_orders_by_market=True,
        words={
            "Duplicate order sent": "duplicate_id",
            "Filter failure": "invalid_order",
            "-2015": "not_allowed",
            "-2014": "not_allowed",
            "binance 429": "rate_limit",
            "binance 418": "rate_limit",
        },
        options={
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "fetchMargins": False,
            "warnOnFetchOpenOrdersWithoutSymbol": False,
        },
    ),
    "kraken": Dialect(
        source="docs.kraken.com/api, AddOrder: cl_ord_id is a UUID or at most 18 characters, "
        "unique among open orders; OpenOrders and ClosedOrders take it, QueryOrders does not "
        "(ccxt sends it there as userref, which is a number); fees in the quote currency by fciq; "
        "API rate limits: the counter of private calls recovers by one each 2 to 3 s",
        watch_seconds=5.0,
        cancel_param="clientOrderId",
        finding=Finding.FILTER,
        find_param="clientOrderId",
        stream_id_fields=("cl_ord_id",),
        short_ids=True,
        stops=frozenset({OrderType.STOP, OrderType.TRAILING_STOP}),
        trade_ids_per_market=False,
        always={"oflags": "fciq"},
        words={
            "cl_ord_id already": "duplicate_id",
            "EOrder:Insufficient": "insufficient_funds",
            "ate limit exceeded": "rate_limit",
            "EQuery:Unknown asset pair": "unknown_symbol",
            "EService:Market in cancel_only": "market_closed",
            "EService:Market in post_only": "market_closed",
            "EOrder:Post only": "would_take",
        },
    ),
    "coinbase": Dialect(
        source="docs.cdp.coinbase.com, Create Order: client_order_id; ccxt drops clientOrderId and "
        "makes up its own id; cancel takes order_ids only; stops are stop-limit orders, kept here",
        id_param="client_order_id",
        trade_ids_per_market=False,
        words={
            "DUPLICATE_CLIENT_ORDER_ID": "duplicate_id",
            "INSUFFICIENT_FUND": "insufficient_funds",
            "INVALID_LIMIT_PRICE_POST_ONLY": "would_take",
        },
    ),
}


def dialect_of(exchange: str) -> Dialect:
    return DIALECTS.get(exchange, _PLAIN)
