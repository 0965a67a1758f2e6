"""The strategy service, wired."""

from collections.abc import Callable

from interlock.model.desk import DeskConfig
from interlock.runtime.config import ConfigError, DeskFile, changes_between
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.service import Service
from interlock.strategy.adapters.reasoner_watch import REASONER_BEATS, ReasonerWatch
from interlock.strategy.config import StrategyConfig
from interlock.strategy.core import decide
from interlock.strategy.ensemble.config import EnsembleConfig
from interlock.strategy.ensemble.sip import Savings
from interlock.strategy.ensemble.state import EnsembleState
from interlock.strategy.state import ConfigReloaded, StrategyState, evolve
from interlock.wire.base import Report
from interlock.wire.catalogue import STRATEGY


def build(desk: DeskConfig, config: StrategyConfig) -> Service[StrategyState]:
    """Return the service; raise `ConfigError` where desk and section do not fit."""
    check_saving(desk, config)
    instruments = {one.instrument_id: one for one in desk.instruments}
    state = StrategyState(
        desk=desk.name,
        account=desk.account,
        venue=desk.venue,
        cadence_seconds=desk.cadence_seconds,
        config=config,
        instruments=instruments,
    )
    if config.ensemble is not None:
        savings = Savings(day_starts_at_utc_hour=desk.day_starts_at_utc_hour)
        savings.configure(config.sip, instruments)
        state.ensemble = EnsembleState(
            config=config.ensemble,
            account_name=desk.account,
            currency=desk.currency,
            savings=savings,
        )
    return Service(name=STRATEGY, state=state, evolve=evolve, decide=decide)


def check_saving(desk: DeskConfig, config: StrategyConfig) -> None:
    """Refuse to save into what the desk does not have, or what has to be exchanged for first."""
    if config.sip is None:
        return
    name = config.sip.instrument
    found = {one.instrument_id: one for one in desk.instruments}.get(name)
    if found is None:
        raise ConfigError(f"[strategy.sip] names {name!r}, which is no instrument of the desk")
    if found.currency != desk.currency:
        raise ConfigError(f"[strategy.sip] names {name}, which is not traded in {desk.currency}")


def reloader(config: StrategyConfig) -> Callable[[DeskFile], ConfigReloaded | None]:
    """Return what turns a changed desk file into a report, none where our section is as before."""
    standing = config

    def reload(file: DeskFile) -> ConfigReloaded | None:
        nonlocal standing
        wanted = file.section(STRATEGY, StrategyConfig)
        if wanted.kind is not standing.kind:
            raise ConfigError("[strategy] kind is taken at a start only: restart the strategy")
        check_saving(file.desk, wanted)
        changes = changes_between(STRATEGY, standing, wanted)
        standing = wanted
        if not changes:
            return None
        return ConfigReloaded(config=wanted, config_hash=file.config_hash, changes=changes)

    return reload


async def assemble(process: Process) -> Parts[StrategyState]:
    file = process.desk_file
    config = file.section(STRATEGY, StrategyConfig)
    service, reload = build(file.desk, config), reloader(config)
    if config.ensemble is None or not process.settings.nats_url or process.settings.replay:
        return Parts(service=service, reload=reload)
    return Parts(service=service, reload=reload, work=(await _watch(process, config.ensemble)).run)


async def _watch(process: Process, config: EnsembleConfig) -> ReasonerWatch:
    """Listen to the local reasoner's heartbeat. On a replay's clock nobody is ever late."""

    def tell(report: Report) -> None:
        # The loop, which hears it, is made after this.
        process.report(report)

    watch = ReasonerWatch(config.reasoner_silence_seconds, config.reasoner_start_seconds, tell)
    await process.bus.listen(REASONER_BEATS, lambda _: watch.hear())
    return watch


def main() -> None:
    run(STRATEGY, assemble)
