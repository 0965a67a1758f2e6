"""What a verdict rests on, said in one breath with it, so that it can be computed again. Pure.

Theory of operation. The gate's state is a fold over what it took in, in its own order, and no other
room knows that order. So the gate keeps the ids of what it took in, its own words included, and
says them as `GateHeard` with each verdict, and after so many messages without one. Quotes are not
in the journal: the last of each instrument goes along, with its place among the ids. What changes
the state and is in no message would be missing here; hence the policy store's answer is part of
`GateHeard`, and the time of the verdict is its `ts_event`.

A crash may leave a `GateHeard` without its verdict. A verdict that was taken in stands in the next
list; one that was lost does not, and the intent that comes again is judged anew, under a
`GateHeard` of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import asdict, replace

from interlock.gate.ports import PolicyStoreAnswered
from interlock.wire.base import Effect, Heard, Message, Said, caused_id, root_ids
from interlock.wire.market import Quote
from interlock.wire.orders import (
    GateConfigured,
    GateHeard,
    OrderDenied,
    OrderIntent,
    QuoteSeen,
    SubmitOrder,
)
from interlock.wire.system import AlertRaised

TELL_AFTER = 500
"""Messages and quotes without a verdict: a list stays far below what a broker takes in one."""


@dataclass(slots=True)
class Witness:
    """What was taken in and not yet told.

    `quotes` has the last quote by (number of unlisted ids before it, instrument). `told` counts
    the lists told so far, so that no two of them share an id. `configured` is what the gate last
    said it works under, `standing` what it works under now, without ids.
    """

    unlisted: list[str] = field(default_factory=list[str])
    quotes: dict[tuple[int, str], Quote] = field(default_factory=dict[tuple[int, str], Quote])
    told: int = 0
    answer: PolicyStoreAnswered | None = None
    configured: GateConfigured | None = None
    standing: GateConfigured | None = None


def note(witness: Witness, heard: Heard) -> None:
    """Remember that `heard` was taken in, in this place."""
    match heard:
        case Quote():
            place = len(witness.unlisted), heard.instrument_id
            witness.quotes.pop(place, None)
            witness.quotes[place] = heard
        case GateHeard():
            witness.unlisted.clear()
            witness.quotes.clear()
            witness.told += 1
        case AlertRaised():
            pass  # Told to people; it changes nothing.
        case Message():
            witness.unlisted.append(heard.message_id)
            if isinstance(heard, GateConfigured):
                witness.configured = heard
        case PolicyStoreAnswered():
            witness.answer = heard
        case _:
            pass


def tell(
    witness: Witness, desk: str, heard: Heard, said: Sequence[Said], now: int
) -> Sequence[Said]:
    """Return `said`, with what a verdict in it rests on before it."""
    for one in said:
        if isinstance(one, OrderDenied | SubmitOrder):
            return [_heard_for(witness, one), *said]
        if isinstance(one, Effect):
            return said
    if not isinstance(heard, Message) or len(witness.unlisted) + len(witness.quotes) < TELL_AFTER:
        return said
    return [*said, _heard_so_far(witness, desk, heard, now)]


def _heard_for(witness: Witness, verdict: OrderDenied | SubmitOrder) -> GateHeard:
    answer = witness.answer
    assert answer is not None, "no verdict without the policy store's answer"
    return GateHeard(
        message_id=caused_id(answer.intent, GateHeard, witness.told),
        decision_id=verdict.decision_id,
        ts_event=verdict.ts_event,
        desk=verdict.desk,
        message_ids=[*witness.unlisted],
        quotes=_seen(witness),
        intent_id=verdict.intent_id,
        store_answer=as_numbers(answer),
        store_error=answer.error,
    )


def _heard_so_far(witness: Witness, desk: str, heard: Message, now: int) -> GateHeard:
    return GateHeard(
        message_id=caused_id(heard, GateHeard, witness.told),
        decision_id=heard.decision_id,
        ts_event=now,
        desk=desk,
        message_ids=[*witness.unlisted],
        quotes=_seen(witness),
    )


def _seen(witness: Witness) -> list[QuoteSeen]:
    return [
        QuoteSeen(
            instrument_id=quote.instrument_id,
            bid=quote.bid,
            ask=quote.ask,
            bid_size=quote.bid_size,
            ask_size=quote.ask_size,
            ts_event=quote.ts_event,
            after=after,
        )
        for (after, _), quote in witness.quotes.items()
    ]


def in_order(told: GateHeard) -> Iterator[str | Quote]:
    """Yield what a list names in the order it was taken in: ids, and quotes between them."""
    quotes = iter(told.quotes)
    quote = next(quotes, None)
    for place, message_id in enumerate(told.message_ids):
        while quote is not None and quote.after <= place:
            yield _quote_of(quote, told)
            quote = next(quotes, None)
        yield message_id
    while quote is not None:
        yield _quote_of(quote, told)
        quote = next(quotes, None)


def _quote_of(seen: QuoteSeen, listed_in: GateHeard) -> Quote:
    """Return the quote that was seen; its own id and source are nobody's concern."""
    return Quote(
        message_id=caused_id(listed_in, Quote, f"{seen.after} {seen.instrument_id}"),
        decision_id="",
        ts_event=seen.ts_event,
        instrument_id=seen.instrument_id,
        source="",
        bid=seen.bid,
        ask=seen.ask,
        bid_size=seen.bid_size,
        ask_size=seen.ask_size,
    )


def as_numbers(answer: PolicyStoreAnswered) -> dict[str, int]:
    """Return all of the store's answer but the intent and the error; what is none is left out."""
    facts: dict[str, object] = asdict(answer)
    return {name: fact for name, fact in facts.items() if isinstance(fact, int)}


def answer_of(intent: OrderIntent, told: GateHeard) -> PolicyStoreAnswered:
    """Return the store's answer as it was when the verdict on `intent` was made.

    A number that this build does not know is passed over, as the codec does with a field.
    """
    known = {
        name: number
        for name, number in told.store_answer.items()
        if name in PolicyStoreAnswered.__struct_fields__
    }
    return msgspec.convert(
        {"version": None, **known, "intent": intent, "error": told.store_error},
        PolicyStoreAnswered,
    )


def begin(witness: Witness, now: int) -> Sequence[Said]:
    """Say what the gate works under, where that is not what was last said."""
    standing, last = witness.standing, witness.configured
    if standing is None:
        return ()
    if last is not None and _content(last) == _content(standing):
        return ()
    before = "" if last is None else last.message_id
    message_id, decision_id = root_ids(GateConfigured, standing.desk, before)
    said = replace(standing, message_id=message_id, decision_id=decision_id, ts_event=now)
    return (said,)


def _content(configured: GateConfigured) -> GateConfigured:
    return replace(configured, message_id="", decision_id="", ts_event=0)
