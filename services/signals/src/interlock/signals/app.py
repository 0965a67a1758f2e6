"""The wiring of signals."""

from interlock.runtime.config import DeskConfig
from interlock.runtime.service import Service
from interlock.signals.config import SignalsConfig
from interlock.signals.core import decide
from interlock.signals.state import SignalsState, evolve


def build(config: SignalsConfig, desk: DeskConfig) -> Service[SignalsState]:
    """Return signals as a service: bars and quotes in, features out."""
    traded = frozenset(instrument.instrument_id for instrument in desk.instruments)
    state = SignalsState(config=config, desk=desk.name, traded=traded)
    return Service(name="signals", state=state, evolve=evolve, decide=decide)
