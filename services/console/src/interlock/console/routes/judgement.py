"""What the desk's models judged: scores, escalations, days, post-mortems, and the way up."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import get
from litestar.params import Parameter

from interlock.console.console import Console
from interlock.console.defaults import defaults
from interlock.console.guards import needs
from interlock.console.pages import LINES, bounded
from interlock.console.plain import text_of
from interlock.console.promotion_view import promotion_view
from interlock.console.queries import judgement
from interlock.console.routes.documented import PROBLEMS
from interlock.console.scores import scores_now
from interlock.console.views.judgement import (
    DaysPage,
    EscalationsPage,
    PostMortemsView,
    PromotionView,
    ScoresView,
)
from interlock.console.views.people import Role

_LOOKS = [needs(Role.VIEWER)]


@get("/api/scores", guards=_LOOKS, responses=PROBLEMS)
async def scores(console: Console) -> ScoresView:
    """Return the last score of each instrument, with all it was made of."""
    found: Mapping[str, Any] = console.sections.get("strategy", {}).get("ensemble") or {}
    return ScoresView(
        items=scores_now(console.live),
        buy_at=float(found.get("buy_at", defaults().buy_at)),
        sell_at=float(found.get("sell_at", defaults().sell_at)),
    )


@get("/api/escalations", guards=_LOOKS, responses=PROBLEMS)
async def escalations(
    console: Console,
    cursor: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = LINES,
) -> EscalationsPage:
    """List the triggers that fired, newest first, granted a call or not."""
    return await judgement.escalations_page(
        console.tables, console.desk.name, cursor, bounded(limit)
    )


@get("/api/days", guards=_LOOKS, responses=PROBLEMS)
async def days(
    console: Console,
    eventful: bool = False,
    cursor: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = LINES,
) -> DaysPage:
    """List the trading days that are over; `eventful` ones had a kill or an escalation."""
    return await judgement.days_page(
        console.tables, console.desk.name, cursor, bounded(limit), eventful=eventful
    )


@get("/api/post-mortems", guards=_LOOKS, responses=PROBLEMS)
async def post_mortems(console: Console, day: str | None = None) -> PostMortemsView:
    """Return what was written about a day, like ``2008-09-29``, or about the last such day."""
    return await judgement.post_mortems(console.tables, console.desk.name, text_of("day", day))


@get("/api/promotion", guards=_LOOKS, responses=PROBLEMS)
async def promotion(console: Console) -> PromotionView:
    """Return the stage, what the next one needs, and what keeps the desk on paper."""
    await console.look_up()
    return promotion_view(console.live, console.kill_rule, console.kill_days)


ROUTES = (scores, escalations, days, post_mortems, promotion)
