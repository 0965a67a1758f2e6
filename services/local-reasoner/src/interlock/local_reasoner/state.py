"""What the local reasoner remembers: the market's latest features and the value in force."""

from dataclasses import dataclass, field

from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.reasoning.prompt import Prompt
from interlock.wire.base import Heard
from interlock.wire.market import FeaturesComputed
from interlock.wire.policy import PolicyChanged
from interlock.wire.reasoning import PauseReasoner, ResumeReasoner


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasoner:
    """Who is asked and how; it does not change while the service runs."""

    desk: str
    config: LocalReasonerConfig
    prompt: Prompt
    model: str


@dataclass(slots=True)
class ReasonerState:
    """`current` is the parameter's value in force, none until policy has said one.

    `paused`: a person wants nobody asked.
    """

    reasoner: Reasoner
    current: float | None = None
    paused: bool = False
    features: dict[str, FeaturesComputed] = field(default_factory=dict[str, FeaturesComputed])


def evolve(state: ReasonerState, heard: Heard) -> ReasonerState:
    match heard:
        case FeaturesComputed():
            state.features[heard.instrument_id] = heard
        case PolicyChanged():
            state.current = heard.parameters.get(state.reasoner.config.parameter)
        case PauseReasoner():
            state.paused = True
        case ResumeReasoner():
            state.paused = False
        case _:
            pass
    return state
