"""The wiring of signals."""

from interlock.model.desk import DeskConfig
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.signals.config import SignalsConfig
from interlock.signals.core import decide
from interlock.signals.state import SignalsState, evolve
from interlock.wire.catalogue import SIGNALS


def build(config: SignalsConfig, desk: DeskConfig) -> Service[SignalsState]:
    """Return signals as a service: bars and quotes in, features out."""
    traded = frozenset(instrument.instrument_id for instrument in desk.instruments)
    state = SignalsState(config=config, desk=desk.name, traded=traded)
    return Service(name=SIGNALS, state=state, evolve=evolve, decide=decide)


async def assemble(process: Process) -> Parts[SignalsState]:
    file = process.desk_file
    return Parts(service=build(file.section(SIGNALS, SignalsConfig), file.desk))


def main() -> None:
    run(SIGNALS, assemble)
