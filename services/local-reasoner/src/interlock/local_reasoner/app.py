"""The local reasoner, wired."""

import os
from collections.abc import Awaitable, Sequence

from interlock.local_reasoner.adapters.asking import ask_model
from interlock.local_reasoner.adapters.calling import caller_of
from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.local_reasoner.core import decide
from interlock.local_reasoner.ports import AskModel
from interlock.local_reasoner.state import Reasoner, ReasonerState, evolve
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
_PROMPT = "param-proposal.v1"


def build(
    desk: DeskConfig, config: LocalReasonerConfig, caller: ModelCaller
) -> Service[ReasonerState]:
    def perform(effect: Effect) -> Awaitable[Sequence[Report]]:
        assert isinstance(effect, AskModel)
        return ask_model(caller, effect)

    reasoner = Reasoner(
        desk=desk.name, config=config, prompt=load_prompt(_PROMPT), model=caller.provider.model
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
    process.closers.append(caller.close)
    return Parts(service=build(file.desk, config, caller))


def main() -> None:
    run(REASONER, assemble)
