"""The day's budget for model calls: reserved before a call, settled after it.

The arithmetic is pure. Whoever keeps the numbers implements `BudgetStore`; the memory one here is
for one process, the Redis one for a desk lives in ``interlock.runtime.stores.budget``.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from interlock.model.values import ZERO, require_not_negative


class BudgetLimits(Struct, frozen=True, kw_only=True):
    """What a desk may spend a day. None means no limit of that kind."""

    usd_per_day: Decimal | None
    calls_per_day: int | None

    def __post_init__(self) -> None:
        if self.usd_per_day is not None:
            require_not_negative("usd_per_day", self.usd_per_day)
        if self.calls_per_day is not None and self.calls_per_day < 0:
            raise ValueError(f"calls_per_day must not be negative, not {self.calls_per_day}")


class DaySpent(Struct, frozen=True, kw_only=True):
    """One day so far. `usd` holds what was spent and what is still reserved, by call in `open`."""

    usd: Decimal = ZERO
    calls: int = 0
    open: dict[str, Decimal] = {}


def reserved(day: DaySpent, limits: BudgetLimits, call_id: str, usd: Decimal) -> DaySpent | None:
    """Return the day with `usd` set aside for a call, or none where that breaks a limit.

    A call whose reservation is still open keeps it: asking twice takes once.
    """
    require_not_negative("usd", usd)
    if call_id in day.open:
        return day
    if limits.calls_per_day is not None and day.calls >= limits.calls_per_day:
        return None
    if limits.usd_per_day is not None and day.usd + usd > limits.usd_per_day:
        return None
    return DaySpent(usd=day.usd + usd, calls=day.calls + 1, open={**day.open, call_id: usd})


def settled(day: DaySpent, call_id: str, usd: Decimal) -> DaySpent:
    """Return the day with the reservation of a call replaced by what it cost.

    A call without an open reservation changes nothing: settling twice settles once.
    """
    require_not_negative("usd", usd)
    if call_id not in day.open:
        return day
    still_open = {key: value for key, value in day.open.items() if key != call_id}
    return replace(day, usd=day.usd - day.open[call_id] + usd, open=still_open)


class BudgetStore(Protocol):
    """Keeps a desk's budget. `day` is ``YYYY-MM-DD`` in UTC, money is in USD."""

    async def reserve(self, *, call_id: str, day: str, usd: Decimal) -> bool:
        """Set `usd` and one call aside. False: the budget is exhausted, or nobody can tell."""
        ...

    async def settle(self, *, call_id: str, day: str, usd: Decimal) -> None:
        """Replace the reservation by the true cost. Where that fails, the reservation stays."""
        ...


@dataclass(slots=True)
class MemoryBudgetStore:
    """A budget that lives and dies with the process."""

    limits: BudgetLimits
    days: dict[str, DaySpent] = field(default_factory=dict[str, DaySpent])

    async def reserve(self, *, call_id: str, day: str, usd: Decimal) -> bool:
        after = reserved(self.days.get(day, DaySpent()), self.limits, call_id, usd)
        if after is None:
            return False
        self.days[day] = after
        return True

    async def settle(self, *, call_id: str, day: str, usd: Decimal) -> None:
        if day in self.days:
            self.days[day] = settled(self.days[day], call_id, usd)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Several budgets that must all agree, each on its own day; none is the day that is asked for.

    What the first ones set aside is given back where a later one refuses. A call that was counted
    stays counted, so the budgets that count calls come last.
    """

    budgets: tuple[tuple[BudgetStore, str | None], ...]

    async def reserve(self, *, call_id: str, day: str, usd: Decimal) -> bool:
        taken: list[tuple[BudgetStore, str]] = []
        for budget, own_day in self.budgets:
            if not await budget.reserve(call_id=call_id, day=own_day or day, usd=usd):
                for earlier, its_day in taken:
                    await earlier.settle(call_id=call_id, day=its_day, usd=ZERO)
                return False
            taken.append((budget, own_day or day))
        return True

    async def settle(self, *, call_id: str, day: str, usd: Decimal) -> None:
        for budget, own_day in self.budgets:
            await budget.settle(call_id=call_id, day=own_day or day, usd=usd)
