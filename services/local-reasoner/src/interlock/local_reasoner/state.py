"""What the local reasoner remembers: the market's latest features and the value in force."""

from dataclasses import dataclass, field

from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.reasoning.prompt import Prompt
from interlock.wire.base import Heard
from interlock.wire.market import FeaturesComputed
from interlock.wire.policy import PolicyChanged


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasoner:
    """Who is asked and how; it does not change while the service runs."""

    desk: str
    config: LocalReasonerConfig
    prompt: Prompt
    model: str


@dataclass(slots=True)
class ReasonerState:
    """`current` is the parameter's value in force, none until policy has said one."""

    reasoner: Reasoner
    current: float | None = None
    features: dict[str, FeaturesComputed] = field(default_factory=dict[str, FeaturesComputed])


def evolve(state: ReasonerState, heard: Heard) -> ReasonerState:
    match heard:
        case FeaturesComputed():
            state.features[heard.instrument_id] = heard
        case PolicyChanged():
            state.current = heard.parameters.get(state.reasoner.config.parameter)
        case _:
            pass
    return state
