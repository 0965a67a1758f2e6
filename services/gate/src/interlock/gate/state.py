"""What the gate remembers, and how it changes."""

from dataclasses import dataclass, field
from math import nan

from interlock.gate.book import Book, approve, end, fill, open_book, refer, take_features, tick
from interlock.gate.caps import UNKNOWN, Caps, caps_of
from interlock.gate.config import GateConfig
from interlock.gate.counting import Tally, tally
from interlock.gate.tempo import Tempo, tempo
from interlock.gate.witness import Witness, note
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.model.values import TradingMode, TradingState
from interlock.wire.base import Message, Report
from interlock.wire.market import (
    Bar,
    ClockTicked,
    FeaturesComputed,
    FeedCondition,
    FeedStatusChanged,
    Quote,
)
from interlock.wire.orders import (
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    ReconciliationCompleted,
    SubmitOrder,
    VenueLinkChanged,
)
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.system import SafetyTripped, SwitchChanged, TripLevel

DOUBTFUL = frozenset(
    {FeedCondition.STALE, FeedCondition.GAP, FeedCondition.JUMP, FeedCondition.CROSSED}
)
_STRICTNESS = {TradingState.ACTIVE: 0, TradingState.REDUCE_ONLY: 1, TradingState.HALTED: 2}
_ASKED_FOR = {TripLevel.REDUCE: TradingState.REDUCE_ONLY, TripLevel.HALT: TradingState.HALTED}


@dataclass(slots=True, kw_only=True)
class GateState:
    """Everything a verdict rests on.

    Parameters
    ----------
    caps
        The day's limits in money: as configured, tightened by policy and standing.
    approved, denials
        Ids of intents approved, and message ids of `OrderDenied`.
    trading, epoch, standing
        What policy said last of what may be traded.
    tripped, tripped_strategies
        What a tripped control asks for and policy has not answered yet: it holds at once.
    trips
        Message ids of the trips taken in: one that is heard again trips nothing.
    banned
        By instrument, who put it on a do-not-trade list.
    """

    desk: str
    account: str
    venue: str
    mode: TradingMode
    config: GateConfig
    config_hash: str
    key_id: str
    build: str
    book: Book
    tempo: Tempo
    caps: Caps = UNKNOWN
    tally: Tally = field(default_factory=Tally)
    approved: set[str] = field(default_factory=set[str])
    denials: set[str] = field(default_factory=set[str])
    policy_version: int | None = None
    policy: PolicyChanged | None = None
    trading: TradingState = TradingState.HALTED
    epoch: int = 0
    standing: TradingStateChanged | None = None
    disabled: frozenset[str] = frozenset()
    tripped: TradingState = TradingState.ACTIVE
    tripped_strategies: frozenset[str] = frozenset()
    trips: set[str] = field(default_factory=set[str])
    switch_pressed: bool = False
    switch_reason: str = ""
    banned: dict[str, str] = field(default_factory=dict[str, str])
    reconciled: bool = False
    breaks: list[str] = field(default_factory=list[str])
    broken: frozenset[str] = frozenset()
    venue_mute: str = ""
    suspect: dict[str, FeedCondition] = field(default_factory=dict[str, FeedCondition])
    witness: Witness = field(default_factory=Witness)

    @property
    def instruments(self) -> dict[str, Instrument]:
        """By id and by alias."""
        return self.book.instruments

    @property
    def stands(self) -> TradingState:
        """The stricter of what policy said and what a trip asks for."""
        if _STRICTNESS[self.tripped] > _STRICTNESS[self.trading]:
            return self.tripped
        return self.trading


def opening(
    desk: DeskConfig, config: GateConfig, config_hash: str, key_id: str, build: str
) -> GateState:
    """Return the state of a gate that has heard nothing yet."""
    book = open_book(
        desk.instruments,
        desk.currency,
        desk.equity_usd,
        desk.day_starts_at_utc_hour,
        config.collar_bps,
        config.fee_bps,
    )
    approvals = max(config.max_orders_per_second or 0, config.max_orders_per_minute or 0)
    state = GateState(
        desk=desk.name,
        account=desk.account,
        venue=desk.venue,
        mode=desk.mode,
        config=config,
        config_hash=config_hash,
        key_id=key_id,
        build=build,
        book=book,
        tempo=tempo(approvals, config.halt_orders_per_minute or 0),
    )
    _ban(state)
    return state


def evolve(state: GateState, heard: Message | Report) -> GateState:
    note(state.witness, heard)
    match heard:
        case Bar():
            refer(state.book, heard.instrument_id, heard.close, heard.ts_event)
        case Quote():
            refer(state.book, heard.instrument_id, _middle(heard), heard.ts_event)
        case FeaturesComputed():
            take_features(state.book, heard)
        case ClockTicked():
            tick(state.book, heard.ts_event)
            tighten(state)
        case FeedStatusChanged():
            _suspect(state, heard)
        case PolicyChanged() | TradingStateChanged() | SafetyTripped() | SwitchChanged():
            _obey(state, heard)
        case _:
            _follow_order(state, heard)
    return state


def _follow_order(state: GateState, heard: Message | Report) -> None:
    match heard:
        case SubmitOrder() if heard.intent_id not in state.approved:
            state.approved.add(heard.intent_id)
            state.tempo.approve(heard.ts_event, "" if heard.reduce_only else heard.strategy)
            tally(state.tally, heard)
            approve(state.book, heard)
        case OrderDenied() if heard.message_id not in state.denials:
            state.denials.add(heard.message_id)
            state.tempo.attempt(heard.ts_event)
        case OrderFilled():
            fill(state.book, heard)
        case OrderCanceled() | OrderExpired():
            end(state.book, heard.client_order_id, heard.leaves_qty)
        case OrderRejected() | OrderRefused():
            end(state.book, heard.client_order_id, None)
        case ReconciliationCompleted():
            state.reconciled, state.breaks = not heard.blocks_account, heard.breaks
            state.broken = frozenset(heard.instruments)
        case VenueLinkChanged():
            state.venue_mute = "" if heard.up else heard.reason or "no reason given"
        case _:
            pass


def _obey(
    state: GateState, heard: PolicyChanged | TradingStateChanged | SafetyTripped | SwitchChanged
) -> None:
    match heard:
        case PolicyChanged():
            state.policy_version, state.policy = heard.version, heard
            _ban(state)
            tighten(state)
        case TradingStateChanged() if heard.epoch >= state.epoch:
            _stand(state, heard)
            tighten(state)
        case SafetyTripped() if heard.message_id not in state.trips:
            state.trips.add(heard.message_id)
            _trip(state, heard)
        case SwitchChanged():
            state.switch_pressed, state.switch_reason = heard.pressed, heard.reason
        case _:
            pass


def _stand(state: GateState, standing: TradingStateChanged) -> None:
    """Take what may be traded from policy's word.

    A trip holds until policy has been as strict as it asks: a change that was on its way already
    is no answer to it. A strategy that a person enabled again begins to count anew.
    """
    before = () if state.standing is None else state.standing.disabled
    state.trading, state.epoch, state.standing = standing.state, standing.epoch, standing
    if _STRICTNESS[standing.state] >= _STRICTNESS[state.tripped]:
        state.tripped = TradingState.ACTIVE
    for strategy in before:
        if strategy not in standing.disabled:
            state.tempo.forget_entries(strategy)
    state.tripped_strategies -= frozenset(standing.disabled)
    state.disabled = frozenset(standing.disabled) | state.tripped_strategies


def _trip(state: GateState, trip: SafetyTripped) -> None:
    asked = _ASKED_FOR.get(trip.level)
    if asked is None:
        known = () if state.standing is None else state.standing.disabled
        if trip.about not in known:
            state.tripped_strategies |= {trip.about}
            state.disabled |= {trip.about}
    elif _STRICTNESS[asked] > _STRICTNESS[state.stands]:
        state.tripped = asked


def tighten(state: GateState) -> None:
    """Work out the day's limits anew."""
    policy, standing = state.policy, state.standing
    state.caps = caps_of(
        state.config,
        state.book.marks,
        {} if policy is None else policy.parameters,
        {} if standing is None else standing.cap_scales,
    )


def _ban(state: GateState) -> None:
    """Note which instruments are on a list, by id, alias or sector, however they are written."""
    lists = {"configuration": state.config.do_not_trade}
    if state.policy is not None:
        lists["policy"] = tuple(state.policy.do_not_trade)
    state.banned = {}
    for author, names in lists.items():
        wanted = {_plain(name) for name in names}
        for one in state.book.instruments.values():
            known = {_plain(name) for name in (one.instrument_id, *one.aliases, one.sector)}
            if wanted & (known - {""}):
                state.banned.setdefault(one.instrument_id, author)


def _plain(name: str) -> str:
    return name.strip().casefold()


def _suspect(state: GateState, status: FeedStatusChanged) -> None:
    """Distrust an instrument's price while its feed reports what makes a price doubtful."""
    instrument = state.book.instruments.get(status.instrument_id)
    if instrument is None:
        return
    if status.condition is FeedCondition.OK:
        state.suspect.pop(instrument.instrument_id, None)
    elif status.condition in DOUBTFUL:
        state.suspect[instrument.instrument_id] = status.condition


def _middle(quote: Quote) -> float:
    """Return the middle of the quote; a crossed one has none."""
    return (quote.bid + quote.ask) / 2 if 0 < quote.bid <= quote.ask else nan
