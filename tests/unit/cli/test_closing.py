"""What the closing summary calls lost."""

import pytest
from interlock.cli.closing import lost_messages

BARS, EQUITY, FILLS = "data.bar.v1", "account.updated.v1", "order.filled.v1"


@pytest.mark.parametrize(
    ("stored", "journaled", "unreadable", "lost"),
    [
        ({BARS: 3}, {BARS: 3}, 0, 0),
        ({BARS: 3}, {BARS: 2}, 0, 1),
        # A killed broker may forget market data, but nothing that it has acknowledged as durable.
        ({BARS: 2}, {BARS: 3}, 0, 0),
        ({FILLS: 2}, {FILLS: 3}, 0, 1),
        ({FILLS: 3}, {FILLS: 2}, 0, 1),
        ({BARS: 3}, {}, 0, 3),
        ({BARS: 5}, {BARS: 3}, 2, 0),
        ({BARS: 5}, {BARS: 2}, 2, 1),
        ({EQUITY: 4}, {EQUITY: 3}, 0, 0),
        ({EQUITY: 3}, {EQUITY: 4}, 0, 1),
        ({BARS: 3, EQUITY: 9}, {BARS: 2, EQUITY: 3}, 0, 1),
    ],
)
def test_what_is_lost(stored, journaled, unreadable, lost):
    assert lost_messages(stored, journaled, unreadable) == lost
