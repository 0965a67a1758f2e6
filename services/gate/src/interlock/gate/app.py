"""The gate, wired: the only process that holds the signing key."""

from collections.abc import Awaitable, Sequence

import msgspec

from interlock.gate.config import GateConfig
from interlock.gate.core import answer, begin, ready
from interlock.gate.counting import counted
from interlock.gate.ports import (
    AskPolicyStore,
    CountApproval,
    OrderSigned,
    SettleCounters,
    SignOrder,
)
from interlock.gate.recovery import in_heard_order
from interlock.gate.rules_store import ASKED_TOGETHER, GateRules
from interlock.gate.state import GateState, evolve, opening
from interlock.model.desk import DeskConfig
from interlock.runtime.config import ConfigError
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.rules_records import RulesReader
from interlock.runtime.service import Service
from interlock.runtime.signing import SignsOrders, load_rules_verifier, load_signer
from interlock.wire.base import Effect, Report
from interlock.wire.build import build_of
from interlock.wire.catalogue import GATE
from interlock.wire.orders import GateConfigured
from interlock.wire.signing import canonical_bytes


def build(
    desk: DeskConfig, config: GateConfig, config_hash: str, rules: GateRules, signer: SignsOrders
) -> Service[GateState]:
    def perform(effect: Effect) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        match effect:
            case AskPolicyStore():
                return rules.ask(effect)
            case SignOrder():
                approval = counted(effect.order)
                rules.signed(approval.scope, approval.approval)
                signature = signer.sign(canonical_bytes(effect.order))
                order = msgspec.structs.replace(effect.order, signature=signature)
                return [OrderSigned(order=order)]
            case CountApproval():
                return rules.count(effect)
            case SettleCounters():
                return rules.settle(effect)
            case _:
                raise NotImplementedError(type(effect).__name__)

    _refuse_strays(desk, config)
    state = opening(desk, config, config_hash, signer.key_id, build_of())
    state.witness.standing = _standing(desk, config, config_hash, signer.key_id)
    return Service(
        name=GATE,
        state=state,
        evolve=evolve,
        decide=answer,
        ready=ready,
        begin=begin,
        perform=perform,
        arrange=in_heard_order,
        foresee=rules.foresee,
    )


def _refuse_strays(desk: DeskConfig, config: GateConfig) -> None:
    """Raise for a name that means nothing on this desk: a limit for it would hold nothing."""
    stray = sorted(config.limits.keys() - {one.instrument_id for one in desk.instruments})
    if stray:
        raise ConfigError(f"section [gate]: limits for {stray[0]}, which is no instrument's own id")
    known = {one.sector for one in desk.instruments}
    for one in desk.instruments:
        known |= {one.instrument_id, *one.aliases}
    stray = sorted(set(config.do_not_trade) - known)
    if stray:
        raise ConfigError(
            f"section [gate]: do_not_trade has {stray[0]}, which is no instrument and no sector"
        )


def _standing(
    desk: DeskConfig, config: GateConfig, config_hash: str, key_id: str
) -> GateConfigured:
    """Return what this gate works under, whole, so that another can be built from it."""
    desk_section, gate_section = (
        msgspec.json.encode(section, order="deterministic").decode() for section in (desk, config)
    )
    return GateConfigured(
        message_id="",
        decision_id="",
        ts_event=0,
        desk=desk.name,
        config_hash=config_hash,
        build=build_of(),
        desk_section=desk_section,
        gate_section=gate_section,
        key_id=key_id,
    )


async def assemble(process: Process) -> Parts[GateState]:
    file = process.desk_file
    secrets = process.settings.state / "secrets"
    signer = load_signer(secrets)
    reader = RulesReader(desk=file.desk.name, verifier=load_rules_verifier(secrets))
    rules = GateRules(desk=file.desk.name, store=process.rules_store(), reader=reader)
    config = file.section(GATE, GateConfig)
    service = build(file.desk, config, file.config_hash, rules, signer)
    return Parts(service=service, work=rules.flush, batch=ASKED_TOGETHER)


def main() -> None:
    run(GATE, assemble)
