"""Two weeks of a falling desk, one mark a day: the triggers of each day, worked out by hand.

Equity at each close, the day's profit in percent of the close before, the highest close of the last
five days, and the fall from it in percent:

    day  equity   profit   high      fall   what fires, and what is over
    1    100,000       -   100,000   0.00
    2     99,000  -1.000   100,000   1.00
    3     96,000  -3.030   100,000   4.00   the day's loss: risk and kill switch
    4     95,000  -1.042   100,000   5.00   risk is over: the fall at most 6, the loss at most 1.5
    5     91,900  -3.263   100,000   8.10   loss and fall: both again
    6     91,000  -0.979    99,000   8.08   risk stands, the fall is above 6
    7     90,100  -0.989    96,000   6.15   and still
    8     89,000  -1.221    95,000   6.32   and still
    9     86,700  -2.584    91,900   5.66   the kill switch; risk stands, the loss is above 1.5
    10    86,000  -0.807    91,000   5.49   risk is over
    11    79,000  -8.140    90,100  12.32   both
"""

from decimal import Decimal

from interlock.model.equity import EquityMarks
from interlock.wire.reasoning import Trigger

from tests.unit.escalation.escalation_cells import account, cell, fired, say

T = Trigger
CLOSES = (
    100_000, 99_000, 96_000, 95_000, 91_900, 91_000, 90_100, 89_000, 86_700, 86_000, 79_000,
)  # fmt: skip
BY_HAND = {
    3: {T.KILL_SWITCH, T.RISK},
    5: {T.KILL_SWITCH, T.RISK},
    9: {T.KILL_SWITCH},
    11: {T.KILL_SWITCH, T.RISK},
}


def test_the_triggers_of_each_day_are_those_worked_out_by_hand():
    room, marks = cell(), EquityMarks(equity=Decimal(CLOSES[0]))
    seen = {}
    for day, close in enumerate(CLOSES, 1):
        marks.mark(day, Decimal(close))
        at = account(
            day,
            start=marks.equity_at_day_start,
            equity=marks.equity,
            day_pnl=marks.day_pnl,
            drawdown=float(marks.drawdown_pct),
        )
        triggers = fired(say(room, at))
        assert all(triggers.values())
        if triggers:
            seen[day] = set(triggers)
    assert seen == BY_HAND
