"""The local reasoner, wired."""

import os
from collections.abc import Awaitable, Sequence

from interlock.local_reasoner.adapters.asking import Asking
from interlock.local_reasoner.adapters.calling import caller_of
from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.local_reasoner.core import decide
from interlock.local_reasoner.ports import AskModel, AskPostMortem, AskSentiment
from interlock.local_reasoner.state import Prompts, Reasoner, ReasonerState, evolve
from interlock.model.desk import DeskConfig
from interlock.reasoning.budget import BudgetLimits, BudgetStore, MemoryBudgetStore
from interlock.reasoning.caller import ModelCaller
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.prompt_files import load_prompt
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.wire.base import Effect, Report
from interlock.wire.catalogue import REASONER

FREE = frozenset({ProviderKind.RULES, ProviderKind.NONE})
PROMPTS = Prompts(
    parameter=load_prompt("param-proposal.v1"),
    sentiment=load_prompt("sentiment.v1"),
    post_mortem=load_prompt("post-mortem.v1"),
)


def build(
    desk: DeskConfig,
    config: LocalReasonerConfig,
    caller: ModelCaller,
    asking: Asking | None = None,
) -> Service[ReasonerState]:
    """Return the service. Without `asking`, every answer is waited for."""
    asks = Asking(caller) if asking is None else asking

    def perform(effect: Effect) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        assert isinstance(effect, AskModel | AskSentiment | AskPostMortem)
        return asks.ask(effect)

    reasoner = Reasoner(
        desk=desk.name,
        config=config,
        prompts=PROMPTS,
        model=caller.provider.model,
        instruments=frozenset(one.instrument_id for one in desk.instruments),
    )
    return Service(
        name=REASONER,
        state=ReasonerState(reasoner),
        evolve=evolve,
        decide=decide,
        perform=perform,
    )


def budget_of(process: Process, config: LocalReasonerConfig) -> BudgetStore:
    """Return where calls are reserved: in Redis, unless nothing is ever paid or shared."""
    usd, calls = config.budget_usd_per_day, config.budget_calls_per_day
    if not process.settings.redis_url or config.provider in FREE:
        return MemoryBudgetStore(BudgetLimits(usd_per_day=usd, calls_per_day=calls))
    # redis-py takes 0.3 s to import.
    from interlock.runtime.stores.budget import RedisBudgetStore

    desk = process.desk_file.desk.name
    store = RedisBudgetStore(
        process.settings.redis_url, desk=desk, usd_per_day=usd, calls_per_day=calls
    )
    process.closers.append(store.close)
    return store


async def assemble(process: Process) -> Parts[ReasonerState]:
    file = process.desk_file
    config = file.section(REASONER, LocalReasonerConfig)
    caller = caller_of(config, budget_of(process, config), os.environ)

    def tell(report: Report) -> None:
        # The loop, which hears it, is made after this.
        process.report(report)

    # In a replay the market waits for the model, so that nothing hangs on how fast it is.
    asking = Asking(caller, None if process.settings.replay else tell)
    process.closers += [caller.close, asking.close]
    return Parts(service=build(file.desk, config, caller, asking))


def main() -> None:
    run(REASONER, assemble)
