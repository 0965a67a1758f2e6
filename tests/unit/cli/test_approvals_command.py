"""What a person is shown of an entry that waits."""

from decimal import Decimal

import pytest
from interlock.cli.commands.approvals import HEAD, request_cells
from interlock.cli.commands.trace import trace_lines
from interlock.ledger.decision import Decision

ROW = {
    "ts_event": 0,
    "expires_at": 300 * 10**9,
    "side": "buy",
    "quantity": Decimal(10),
    "instrument_id": "SPY",
    "reference_price": Decimal("100.20"),
    "notional": Decimal("1002.000"),
    "conviction": "",
    "reasons": ["entry", "momentum_bps=9.00"],
    "state": "pending",
    "by": [],
    "reason": "",
    "needed": 1,
    "request_id": "r",
}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, ("1002.00", "entry momentum_bps=9.00", "pending", "-", "r")),
        (
            {"conviction": "p_win 62%", "by": ["ann"], "needed": 2},
            ("1002.00", "p_win 62%", "pending", "ann (2 needed)", "r"),
        ),
    ],
)
def test_a_request_is_one_line(more, told):
    cells = request_cells(ROW | more)
    assert len(cells) == len(HEAD)
    assert cells[:3] == ("1970-01-01", "1970-01-01 00:05:00.000", "buy 10 SPY at 100.20")
    assert cells[3:] == told


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            {"state": "approved", "by": ["ann", "bob"], "reason": "real"},
            "approved by ann and bob (real)",
        ),
        ({}, "pending"),
        (
            {"state": "expired", "reason": "nobody has decided it in time"},
            "expired (nobody has decided it in time)",
        ),
    ],
)
def test_a_trace_names_the_people(more, line):
    rows = {
        name: [] for name in Decision.__struct_fields__ if name not in ("decision_id", "set_by")
    }
    decision = Decision(**rows | {"decision_id": "d", "set_by": None, "approvals": [ROW | more]})
    assert trace_lines(decision, [])[-1] == f"people    buy 10 SPY: {line}"
