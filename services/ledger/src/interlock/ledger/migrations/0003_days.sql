-- Trading days that are over, and what was written about them. `day` counts from 1970.

CREATE TABLE days (
    n bigint GENERATED ALWAYS AS IDENTITY,
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    at timestamptz GENERATED ALWAYS AS (to_timestamp(ts_event / 1e9)) STORED,
    desk text NOT NULL,
    account text NOT NULL,
    currency text NOT NULL,
    day bigint NOT NULL,
    equity_at_day_start numeric NOT NULL,
    equity numeric NOT NULL,
    day_pnl numeric NOT NULL,
    fees numeric NOT NULL,
    drawdown_5d_pct double precision NOT NULL,
    max_drawdown_pct double precision NOT NULL,
    cadences bigint NOT NULL,
    intents bigint NOT NULL,
    approvals bigint NOT NULL,
    fills bigint NOT NULL,
    killed boolean NOT NULL,
    escalations bigint NOT NULL,
    proposals_applied bigint NOT NULL,
    instruments jsonb NOT NULL,
    denials_by_code jsonb NOT NULL,
    trips_by_code jsonb NOT NULL,
    failures jsonb NOT NULL
);
CREATE INDEX days_by_desk ON days (desk, n);
COMMENT ON COLUMN days.instruments IS 'what each instrument held or traded has brought';

CREATE TABLE post_mortems (
    n bigint GENERATED ALWAYS AS IDENTITY,
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    day bigint NOT NULL,
    figures jsonb NOT NULL,
    root_cause text NOT NULL,
    recommendations jsonb NOT NULL,
    source text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL
);
CREATE INDEX post_mortems_by_desk ON post_mortems (desk, day, n);
COMMENT ON COLUMN post_mortems.source IS 'local, cloud, or rules: from the figures alone';

ALTER TABLE order_changes ADD COLUMN parent text;
ALTER TABLE orders ADD COLUMN parent text;
COMMENT ON COLUMN orders.parent IS 'the entry, by its client order id, that a protective order is for';
CREATE INDEX orders_by_parent ON orders (parent) WHERE parent IS NOT NULL;
CREATE INDEX accounts_by_time ON accounts (desk, ts_event, n);
