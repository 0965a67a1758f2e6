"""The scorecard of an ensemble desk from its tables, for the command and for a run's last words."""

from interlock.cli.desks import read_section
from interlock.cli.model_set import known_models
from interlock.gate.config import GateConfig
from interlock.ledger import queries, scorecard_queries
from interlock.ledger.config import ScorecardConfig
from interlock.ledger.ensemble_scorecard import EnsembleScorecard, ensemble_scorecard
from interlock.runtime.config import DeskFile
from interlock.runtime.stores.postgres import Postgres


async def judged(
    store: Postgres,
    file: DeskFile,
    config: ScorecardConfig,
    length_ns: int | None = None,
    model_set: str | None = None,
) -> EnsembleScorecard:
    """Judge the last `length_ns` of a desk, or all of it."""
    desk = file.desk
    models = known_models(model_set or config.model_set)
    begin = None
    if length_ns is not None:
        begin = await queries.begin_of_last(store, desk.name, length_ns)
    seen = await scorecard_queries.seen(store, desk.name, desk.cadence_seconds, models, begin)
    limits = read_section(file, "gate", GateConfig).buckets
    return ensemble_scorecard(
        seen,
        config,
        {one.instrument_id: one.bucket for one in desk.instruments},
        {one.instrument_id: one.multiplier for one in desk.instruments},
        {name: one.max_gross_pct for name, one in limits.items() if one.max_gross_pct is not None},
    )
