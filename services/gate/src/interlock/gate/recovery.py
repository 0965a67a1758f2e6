"""The past in the gate's own order.

Theory of operation. The streams say when a message was stored, not when the gate took it in, and
the two differ between streams. A state folded in another order could judge otherwise than the gate
that died, and otherwise than `interlock verify`, which folds in the order of `GateHeard`. What is
listed comes first, in the order of the lists, quotes included, acknowledged or not; then comes what
was acknowledged and not listed yet, and with the next verdict it will be.
"""

from collections.abc import Iterable, Iterator

from interlock.gate.witness import in_order
from interlock.runtime.bus.port import Remembered
from interlock.wire.market import Quote
from interlock.wire.orders import GateHeard


def in_heard_order(past: Iterable[Remembered]) -> Iterator[Remembered]:
    """Yield what the gate took in, in the order in which it did."""
    remembered = list(past)
    by_id = {one.message.message_id: one for one in remembered}
    listed = set[str]()
    for told in remembered:
        if not isinstance(told.message, GateHeard):
            continue
        for named in in_order(told.message):
            if isinstance(named, Quote):
                yield Remembered(named, own=False)
            elif named in by_id:  # else it is older than what its stream keeps
                yield by_id[named]
                listed.add(named)
        yield told
    for one in remembered:
        unlisted = one.message.message_id not in listed
        if one.acknowledged and unlisted and not isinstance(one.message, GateHeard):
            yield one
