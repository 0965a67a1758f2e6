"""A desk in one process on the data's clock, as fast as it goes: `interlock backtest`."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import batched

from msgspec import Struct

from interlock.cli.errors import CliError
from interlock.cli.rooms import check_sections
from interlock.escalation import app as escalation
from interlock.escalation.adapters.calling import memory_budget, models_of
from interlock.escalation.config import EscalationConfig
from interlock.escalation.state import EscalationState
from interlock.exec import app as exec_app
from interlock.exec.adapters.choosing import venue_of
from interlock.exec.config import ExecConfig
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.feed.dataset import data_for, source_of
from interlock.gate import app as gate
from interlock.gate.config import GateConfig
from interlock.gate.rules_store import GateRules
from interlock.ledger import app as ledger
from interlock.ledger.config import LedgerConfig
from interlock.ledger.state import State
from interlock.ledger.summary import Summary, summarise
from interlock.local_reasoner import app as local_reasoner
from interlock.local_reasoner.adapters.calling import caller_of
from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.local_reasoner.state import ReasonerState
from interlock.policy import app as policy
from interlock.policy.config import PolicyConfig
from interlock.reasoning.budget import BudgetLimits, MemoryBudgetStore
from interlock.reasoning.endpoint import ProviderKind
from interlock.runtime.backtest import Backtest, Member, Watch
from interlock.runtime.clock import DataClock
from interlock.runtime.config import ConfigError, DeskFile
from interlock.runtime.rules_records import RulesReader
from interlock.runtime.seal import Seal
from interlock.runtime.service import Service
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.signals import app as signals
from interlock.signals.config import SignalsConfig
from interlock.strategy import app as strategy
from interlock.strategy.config import StrategyConfig
from interlock.venues.replay_rows import ReplayData
from interlock.wire.base import tag_of
from interlock.wire.catalogue import ESCALATION
from interlock.wire.market import Bar

MESSAGES_BETWEEN_SHOWS = 1_000
WITHOUT_NETWORK = (ProviderKind.RULES, ProviderKind.NONE)


class Outcome(Struct, frozen=True, kw_only=True):
    """What a backtest came to. `seconds` is the machine's time, `bars_per_second` in it."""

    desk: str
    dataset: str
    seconds: float
    bars_per_second: float
    summary: Summary


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskBacktest:
    """A desk's services, ready to be told what happens; `book` is the ledger's."""

    backtest: Backtest
    ledger: Member

    @property
    def book(self) -> State:
        state: State = self.ledger.cell.state
        return state


def assemble(
    file: DeskFile,
    starts_at: int,
    environment: Mapping[str, str] = os.environ,
    watch: Watch | None = None,
) -> DeskBacktest:
    """Wire all services of a desk but the feed, in the order of starting.

    `starts_at` is where the data's clock stands before the first bar.

    The gate signs and exec verifies, with a secret that nobody keeps. The ledger keeps no journal.
    """
    desk, store, seal = file.desk, MemoryRulesStore(), Seal()
    rules = GateRules(
        desk=desk.name, store=store, reader=RulesReader(desk=desk.name, verifier=seal)
    )
    clock = DataClock(starts_at)
    config = file.section("exec", ExecConfig)
    venue = venue_of(desk, config)
    members = [
        Member(ledger.build(desk, file.section("ledger", LedgerConfig)), DataClock(starts_at)),
        Member(exec_app.build(desk, venue, seal, clock, config), clock),
        Member(
            gate.build(desk, file.section("gate", GateConfig), file.config_hash, rules, seal),
            DataClock(starts_at),
        ),
        Member(
            policy.build(desk, file.section("policy", PolicyConfig), file.config_hash, store, seal),
            DataClock(starts_at),
        ),
        Member(
            strategy.build(desk, file.section("strategy", StrategyConfig)), DataClock(starts_at)
        ),
        Member(_reasoner(file, environment), DataClock(starts_at)),
        *(
            [Member(_escalation(file, environment), DataClock(starts_at))]
            if ESCALATION in file.sections
            else []
        ),
        Member(signals.build(file.section("signals", SignalsConfig), desk), DataClock(starts_at)),
    ]
    return DeskBacktest(backtest=Backtest(members, watch), ledger=members[0])


def _reasoner(file: DeskFile, environment: Mapping[str, str]) -> Service[ReasonerState]:
    config = file.section("local-reasoner", LocalReasonerConfig)
    if config.provider not in WITHOUT_NETWORK:
        raise CliError(
            f"a backtest waits for no model, and desk {file.desk.name} asks {config.provider}: "
            'set provider = "rules" or "none" in section [local_reasoner]'
        )
    limits = BudgetLimits(
        usd_per_day=config.budget_usd_per_day, calls_per_day=config.budget_calls_per_day
    )
    caller = caller_of(config, MemoryBudgetStore(limits), environment)
    return local_reasoner.build(file.desk, config, caller)


def _escalation(file: DeskFile, environment: Mapping[str, str]) -> Service[EscalationState]:
    config = file.section(ESCALATION, EscalationConfig)
    for name, endpoint in (("cloud", config.cloud), ("local", config.local)):
        if endpoint.provider not in WITHOUT_NETWORK:
            raise CliError(
                f"a backtest waits for no model, and desk {file.desk.name} asks "
                f'{endpoint.provider}: set provider = "rules" in section [escalation.{name}]'
            )
    return escalation.build(file.desk, config, models_of(config, memory_budget, environment))


def run_backtest(
    file: DeskFile, data: ReplayData, show: Callable[[int], None] = lambda _bars: None
) -> Outcome:
    """Replay `data` through the desk and return what it came to; `show` is told the bars so far.

    Raises
    ------
    CliError
        When the desk file cannot be used, or asks a model that answers over a network.
    """
    check_sections(file)
    try:
        desk = assemble(file, data.ts_first)
        waves = open_waves(file.section("feed", FeedConfig), file.desk, data)
    except ConfigError as error:
        raise CliError(str(error)) from error
    began = time.perf_counter()
    for some in batched(waves, MESSAGES_BETWEEN_SHOWS):
        desk.backtest.run(some)
        show(desk.book.tally.messages[tag_of(Bar)])
    seconds = time.perf_counter() - began
    return Outcome(
        desk=file.desk.name,
        dataset=data.dataset,
        seconds=seconds,
        bars_per_second=data.bars / seconds,
        summary=summarise(desk.book.tally, desk.book.start),
    )


def open_data(file: DeskFile, replay: str | None) -> ReplayData:
    """Open the data to replay; without a name, the desk's default."""
    source = replay or file.desk.default_replay
    if not source:
        raise CliError(f"desk {file.desk.name} has no default replay: give one with --replay")
    try:
        return data_for(file.desk, source_of(source, file.scenario), file.scenario)
    except ConfigError as error:
        raise CliError(str(error)) from error
