-- The marks of the account by day and week, and the desk's standing.

ALTER TABLE accounts
    ADD COLUMN day bigint NOT NULL DEFAULT 0,
    ADD COLUMN week_pnl numeric NOT NULL DEFAULT 0,
    ADD COLUMN equity_at_week_start numeric NOT NULL DEFAULT 0,
    ADD COLUMN drawdown_5d_pct double precision NOT NULL DEFAULT 0,
    ADD COLUMN losses_in_row integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN accounts.day IS 'the trading day, counted from 1970';

CREATE TABLE standings (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    state text NOT NULL,
    epoch bigint NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    stage text NOT NULL,
    demo_only boolean NOT NULL,
    quarantined_until bigint NOT NULL,
    kill_days jsonb NOT NULL,
    disabled jsonb NOT NULL
);
CREATE INDEX standings_by_desk ON standings (desk, epoch);
COMMENT ON TABLE standings IS 'what might be traded from when on, and who said so';

CREATE TABLE trips (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    service text NOT NULL,
    code text NOT NULL,
    level text NOT NULL,
    observed text NOT NULL,
    "limit" text NOT NULL,
    about text NOT NULL
);
CREATE INDEX trips_by_desk ON trips (desk, ts_event);
COMMENT ON TABLE trips IS 'what a service found that must not go on';
