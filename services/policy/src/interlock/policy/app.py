"""The policy service, wired: the only process that holds the key of the rules."""

from collections.abc import Awaitable, Sequence

from interlock.model.desk import DeskConfig
from interlock.policy.config import PolicyConfig
from interlock.policy.core import begin, decide, ready
from interlock.policy.ports import RulesNotSaved, RulesSigned, SaveRules, SignRules
from interlock.policy.state import PolicyState, evolve
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.rules_records import sign_rules
from interlock.runtime.service import Service
from interlock.runtime.signing import SignsOrders, load_rules_signer
from interlock.runtime.stores.rules import RulesStore, Saved
from interlock.wire.base import Effect, Report
from interlock.wire.catalogue import POLICY


def build(
    desk: DeskConfig, config: PolicyConfig, config_hash: str, store: RulesStore, signer: SignsOrders
) -> Service[PolicyState]:
    def perform(effect: Effect) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        if isinstance(effect, SignRules):
            return [RulesSigned(rules=sign_rules(effect.rules, signer), alerts=effect.alerts)]
        assert isinstance(effect, SaveRules)
        return _save(store, effect)

    state = PolicyState(
        desk=desk.name,
        config=config,
        config_hash=config_hash,
        equity=desk.equity_usd,
        account_name=desk.account,
        key_id=signer.key_id,
        buckets=tuple(sorted({one.bucket for one in desk.instruments})),
        names=frozenset(
            name for one in desk.instruments for name in (one.instrument_id, one.sector) if name
        ),
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


async def _save(store: RulesStore, effect: SaveRules) -> Sequence[Report]:
    saved = await store.save(effect.rules)
    if saved in (Saved.TAKEN, Saved.STANDS):
        return ()
    return [RulesNotSaved(rules=effect.rules, found=saved)]


async def assemble(process: Process) -> Parts[PolicyState]:
    file = process.desk_file
    config = file.section(POLICY, PolicyConfig)
    signer = load_rules_signer(process.settings.state / "secrets")
    store = process.rules_store()
    return Parts(service=build(file.desk, config, file.config_hash, store, signer))


def main() -> None:
    run(POLICY, assemble)
