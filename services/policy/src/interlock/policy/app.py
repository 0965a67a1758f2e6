"""The policy service, wired."""

from collections.abc import Awaitable, Sequence

from interlock.model.desk import DeskConfig
from interlock.policy.config import PolicyConfig
from interlock.policy.core import begin, decide, ready
from interlock.policy.ports import SavePolicy
from interlock.policy.state import PolicyState, evolve
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.runtime.stores.policy import PolicyStore
from interlock.wire.base import Effect, Report
from interlock.wire.catalogue import POLICY


def build(
    desk: DeskConfig, config: PolicyConfig, config_hash: str, store: PolicyStore
) -> Service[PolicyState]:
    def perform(effect: Effect) -> Awaitable[Sequence[Report]]:
        assert isinstance(effect, SavePolicy)
        return _save(store, effect)

    state = PolicyState(
        desk=desk.name, config=config, config_hash=config_hash, equity=desk.equity_usd
    )
    return Service(
        name=POLICY,
        state=state,
        evolve=evolve,
        decide=decide,
        ready=ready,
        begin=begin,
        perform=perform,
    )


async def _save(store: PolicyStore, effect: SavePolicy) -> Sequence[Report]:
    await store.save(effect.policy)
    return ()


async def assemble(process: Process) -> Parts[PolicyState]:
    file = process.desk_file
    config = file.section(POLICY, PolicyConfig)
    return Parts(service=build(file.desk, config, file.config_hash, process.policy_store()))


def main() -> None:
    run(POLICY, assemble)
