"""The wiring of signals."""

from collections.abc import Sequence

from interlock.model.desk import DeskConfig
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.signals.adapters.serving import Models, load_models
from interlock.signals.config import SignalsConfig
from interlock.signals.core import decide
from interlock.signals.ports import Forecast
from interlock.signals.state import SignalsState, evolve
from interlock.wire.base import Effect, Report
from interlock.wire.catalogue import SIGNALS


def build(
    config: SignalsConfig, desk: DeskConfig, models: Models | None = None
) -> Service[SignalsState]:
    """Return signals as a service: bars and quotes in, features out.

    Without `models`, those are loaded that the configuration names.
    """
    if models is None:
        models = Models() if config.models is None else load_models(config)

    def perform(effect: Effect) -> Sequence[Report]:
        assert isinstance(effect, Forecast)
        return models.perform(effect)

    traded = frozenset(instrument.instrument_id for instrument in desk.instruments)
    state = SignalsState(config=config, desk=desk.name, traded=traded, sets=models.sets)
    if config.context_in_force is not None:
        state.sectors = {one.instrument_id: one.sector for one in desk.instruments}
    return Service(name=SIGNALS, state=state, evolve=evolve, decide=decide, perform=perform)


async def assemble(process: Process) -> Parts[SignalsState]:
    file = process.desk_file
    return Parts(service=build(file.section(SIGNALS, SignalsConfig), file.desk))


def main() -> None:
    run(SIGNALS, assemble)
