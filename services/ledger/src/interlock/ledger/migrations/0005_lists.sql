-- Lists that people leaf through: newest first, by what they filter for, a page at a time.

ALTER TABLE order_changes ADD COLUMN conviction double precision;
ALTER TABLE orders
    ADD COLUMN conviction double precision,
    ADD COLUMN verdict text GENERATED ALWAYS AS (
        CASE
            WHEN parent IS NOT NULL THEN 'protective'
            WHEN status = 'denied' THEN 'denied'
            WHEN status IS NULL OR status = 'initialized' THEN 'pending'
            ELSE 'approved'
        END
    ) STORED;
COMMENT ON COLUMN orders.conviction IS 'the claimed probability to win, from 0 to 100';
COMMENT ON COLUMN orders.verdict IS 'the word of the gate, or of exec where that would not send it;
    a protective order was signed with its entry';

CREATE INDEX orders_newest ON orders (desk, ts_event DESC, intent_id DESC);
CREATE INDEX orders_newest_of_instrument
    ON orders (desk, instrument_id, ts_event DESC, intent_id DESC);
CREATE INDEX orders_newest_of_verdict ON orders (desk, verdict, ts_event DESC, intent_id DESC);
CREATE INDEX orders_newest_of_epoch
    ON orders (desk, policy_version, ts_event DESC, intent_id DESC);
CREATE INDEX orders_newest_open ON orders (desk, ts_event DESC, intent_id DESC)
    WHERE status NOT IN ('filled', 'canceled', 'expired', 'rejected', 'denied');

CREATE INDEX denials_newest_of_code ON denials (desk, code, ts_event DESC, intent_id DESC);
CREATE INDEX denials_newest_of_instrument ON denials (desk, instrument_id, ts_event DESC);
CREATE INDEX denials_newest ON denials (desk, ts_event DESC);
CREATE INDEX denials_by_intent ON denials (intent_id);
CREATE INDEX denials_by_decision ON denials (decision_id);
CREATE INDEX fills_newest_of_instrument ON fills (desk, instrument_id, ts_event DESC);
CREATE INDEX fills_by_decision ON fills (decision_id);
CREATE INDEX proposals_newest ON proposals (desk, ts_event DESC, message_id DESC);
CREATE INDEX proposals_by_decision ON proposals (decision_id);
CREATE INDEX alerts_newest ON alerts (desk, ts_event DESC, message_id DESC);
CREATE INDEX model_calls_newest ON model_calls (desk, ts_event DESC, message_id DESC);
