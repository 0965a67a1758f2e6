"""From a model's answer to the gate's verdict: a cap that a model tightens is the gate's own."""

import json
from decimal import Decimal

import pytest
from interlock.cli.desks import load_desk
from interlock.gate.caps import caps_of
from interlock.gate.config import BucketLimits, GateConfig
from interlock.model.equity import EquityMarks
from interlock.policy.config import ParameterLimits, PolicyConfig
from interlock.reasoning.endpoint import EndpointConfig, ProviderKind
from interlock.testkit.stub_model import Say, StubModel
from interlock.wire.parameters import BUCKET_CAP_PREFIX, MAX_POSITION
from interlock.wire.policy import PolicyChanged
from interlock.wire.reasoning import ParameterProposal

from tests.conformance.world import LIMITS, START, World, codes
from tests.integration.test_escalation_models import REGIME, REWARD, SANITY, Room
from tests.unit.escalation.escalation_cells import (
    DAY_SECONDS,
    DESK,
    SECOND,
    account,
    config,
    market,
    of,
    parameters,
)

DAY, AT = divmod(START // SECOND, DAY_SECONDS)
EQUITY = Decimal(100_000)
CORE = f"{BUCKET_CAP_PREFIX}core"
SHARES = {"core": ("90", "2"), "penny": ("2", "0.4"), "fno": ("5", "0.7")}


def tightening(initial, lower):
    return ParameterLimits(
        initial=initial, lower=lower, upper=initial, max_step=initial, tightens="down"
    )


def desk_with_caps():
    """Return policy, gate and exec of the escalation's desk; a name is let have 2 % of 100,000."""
    buckets = {
        name: BucketLimits(
            max_gross_pct=Decimal(gross), max_name_pct=Decimal(one), max_order_pct=Decimal(one)
        )
        for name, (gross, one) in SHARES.items()
    }
    rules = PolicyConfig(
        parameters={CORE: tightening(90.0, 1.0), MAX_POSITION: tightening(2.0, 0.25)},
        max_accept_rate=1.0,
    )
    world = World(desk=DESK, gate=LIMITS | {"buckets": buckets}, policy=rules)
    world.market()
    return world


def verdict(world, quantity, name="IBM"):
    """Return why so many of a name at 100 are denied."""
    return codes(world.ask(world.intent(instrument_id=name, quantity=Decimal(quantity))))


async def proposals(answers, *happening):
    """Ask a model over HTTP because of what is happening; return what its answers come to."""
    async with StubModel([Say(json.dumps(one)) for one in answers]) as stub:
        cloud = EndpointConfig(
            provider=ProviderKind.OLLAMA, model="stub-1", base_url=stub.ollama_url
        )
        room = Room(config(cloud=cloud))
        said = await room.say(parameters(**{CORE: 90.0, MAX_POSITION: 2.0}), *happening)
        await room.close()
    assert len(stub.requests) == len(answers)
    return said


def taken_over(world, said):
    """Let policy judge what was proposed; return the parameters then in force."""
    world.publish(account(DAY, second=AT), *of(ParameterProposal, said))
    return of(PolicyChanged, world.log)[-1].parameters


async def test_a_bucket_that_a_model_tightens_is_smaller_at_the_gate():
    answer = REGIME | {
        "bucket_caps_delta": {"penny": 0.0, "fno": 0.0, "core": -0.875},
        "do_not_trade_list": [],
    }
    calm, world = desk_with_caps(), desk_with_caps()
    turbulent = [*market(3.0, 0.1, n=DAY * DAY_SECONDS), account(DAY, second=AT)]
    said = await proposals([answer], *turbulent)
    assert taken_over(world, said)[CORE] == 2.5
    assert verdict(calm, 20) == verdict(world, 20) == []
    assert verdict(calm, 10, "MSFT") == []
    assert verdict(world, 10, "MSFT") == ["position.bucket"]
    assert verdict(world, 5, "MSFT") == []


async def test_a_position_that_a_judge_makes_smaller_is_smaller_at_the_gate():
    said = await proposals([SANITY, REWARD], account(DAY, -3.0, second=AT))
    world = desk_with_caps()
    assert taken_over(world, said)[MAX_POSITION] == 1.2
    assert verdict(world, 13) == ["position.name"]
    assert verdict(world, 12) == []


@pytest.mark.parametrize("bucket", ["core", "fno", "penny"])
def test_each_cap_that_the_shipped_desk_lets_a_model_tighten_is_read_by_its_gate(bucket):
    """A cap that only proposals know would tighten nothing, and nobody would see it."""
    desk = load_desk("hybrid")
    limits = desk.section("gate", GateConfig)
    marks = EquityMarks(equity=EQUITY, equity_at_day_start=EQUITY, day=DAY)

    def caps(**parameters):
        return caps_of(limits, marks, parameters, {}).buckets[bucket]

    names = desk.section("policy", PolicyConfig).parameters
    own = f"{BUCKET_CAP_PREFIX}{bucket}"
    assert {own, MAX_POSITION} <= names.keys()
    assert caps(**{own: names[own].lower}).gross < caps().gross
    assert caps(**{MAX_POSITION: names[MAX_POSITION].lower}).name < caps().name
