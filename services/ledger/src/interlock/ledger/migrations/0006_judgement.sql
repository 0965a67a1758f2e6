-- What a desk with models judged: each score, and each escalation with its call granted or not.

CREATE TABLE scores (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    instrument_id text NOT NULL,
    p_short double precision,
    p_mid double precision,
    size_hint double precision,
    weights jsonb NOT NULL,
    penalties jsonb NOT NULL,
    base double precision,
    score double precision,
    action text NOT NULL,
    size_fraction double precision NOT NULL,
    mode text NOT NULL,
    features_id text NOT NULL,
    policy_version bigint NOT NULL
);
CREATE INDEX scores_by_decision ON scores (decision_id);
COMMENT ON COLUMN scores.mode IS 'full, or the failure mode the score was made in';

CREATE TABLE escalations (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    day bigint NOT NULL,
    trigger text NOT NULL,
    call text NOT NULL,
    observed jsonb NOT NULL,
    limits jsonb NOT NULL,
    granted boolean NOT NULL,
    reason text NOT NULL,
    calls_today bigint NOT NULL,
    ts_desk bigint NOT NULL
);
CREATE INDEX escalations_newest ON escalations (desk, ts_event DESC, message_id DESC);
CREATE INDEX escalations_by_decision ON escalations (decision_id);
CREATE INDEX escalations_by_day ON escalations (desk, day) WHERE granted;
COMMENT ON COLUMN escalations.day IS 'the trading day whose calls it counts among, from 1970';

ALTER TABLE model_calls
    ADD COLUMN question text NOT NULL DEFAULT '',
    ADD COLUMN source text;
COMMENT ON COLUMN model_calls.question IS 'the kind of answer that was asked for';
COMMENT ON COLUMN model_calls.source IS 'cloud or local, where an escalation asked';

ALTER TABLE order_changes ADD COLUMN reduce_only boolean;
ALTER TABLE orders ADD COLUMN reduce_only boolean;
COMMENT ON COLUMN orders.reduce_only IS 'of such an order the gate asks fewer controls';

CREATE INDEX model_calls_of_cloud ON model_calls (desk, ts_event DESC) WHERE source = 'cloud';
CREATE INDEX orders_newest_closed ON orders (desk, ts_event DESC, intent_id DESC)
    WHERE exit_price IS NOT NULL AND entry_price IS NOT NULL;
CREATE INDEX policy_versions_by_decision ON policy_versions (decision_id);
