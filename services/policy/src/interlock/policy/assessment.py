"""What the desk has shown of what the next stage needs: said as each trading day begins."""

from collections.abc import Sequence

from interlock.model.values import Stage
from interlock.policy.promotion import criteria
from interlock.policy.standing import trading_of
from interlock.policy.state import PolicyState
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import caused_id
from interlock.wire.policy import PromotionAssessed, PromotionCriterion

STAGES = tuple(Stage)


def assessed(state: PolicyState, account: AccountUpdated, now: int) -> Sequence[PromotionAssessed]:
    """Return every criterion, once a day and after a change of stage; only whole days count."""
    if account.day != state.today or state.assessed_on == account.day:
        return ()
    last = trading_of(state)
    found = criteria(state.evidence, state.config.promotion, last.stage_since)
    return (
        PromotionAssessed(
            message_id=caused_id(account, PromotionAssessed),
            decision_id=account.decision_id,
            ts_event=now,
            desk=state.desk,
            stage=last.stage,
            next_stage=stage_after(last.stage),
            day=account.day,
            criteria=[
                PromotionCriterion(
                    name=one.name, observed=one.observed, needed=one.needed, holds=one.holds
                )
                for one in found
            ],
        ),
    )


def stage_after(stage: Stage) -> Stage | None:
    """Return the next stage, none after the last."""
    place = STAGES.index(stage) + 1
    return STAGES[place] if place < len(STAGES) else None
