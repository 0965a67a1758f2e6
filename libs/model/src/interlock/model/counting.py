"""Counters that many writers add to, each thing once."""

from msgspec import Struct


class Counted(Struct, frozen=True, kw_only=True):
    """One thing that counts: `member` names it, `amounts` says by how much it moves which counter.

    Counted again under the same name it moves nothing. Amounts are whole numbers, so that a sum
    is the same in whatever order it was made.
    """

    member: str
    amounts: dict[str, int]


def total(counted: dict[str, Counted]) -> dict[str, int]:
    """Return what the counters show once all of `counted` are in."""
    sums: dict[str, int] = {}
    for one in counted.values():
        for name, amount in one.amounts.items():
            sums[name] = sums.get(name, 0) + amount
    return sums
