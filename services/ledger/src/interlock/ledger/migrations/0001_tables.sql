-- The ledger's tables. Times ts_* are UNIX nanoseconds UTC on the data's clock; "at" is the same
-- moment for people, to the microsecond. Every row names the message it was made from, and its
-- primary key lets one message in once.

CREATE TABLE journal_place (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    journal_offset bigint NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL
);
COMMENT ON TABLE journal_place IS 'up to where in the journal the tables have been made';

CREATE TABLE messages (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    stream text NOT NULL,
    subject text NOT NULL,
    tag text NOT NULL
);
CREATE INDEX messages_by_decision ON messages (decision_id);

CREATE TABLE order_changes (
    n bigint GENERATED ALWAYS AS IDENTITY,
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    intent_id text NOT NULL,
    status text,
    mode text,
    desk text,
    account text,
    venue text,
    client_order_id text,
    strategy text,
    instrument_id text,
    side text,
    order_type text,
    limit_price numeric,
    reference_price numeric,
    requested_quantity numeric,
    quantity numeric,
    filled_quantity numeric,
    entry_price numeric,
    exit_price numeric,
    reasons jsonb,
    policy_version bigint,
    config_hash text,
    detail text
);
CREATE INDEX order_changes_by_intent ON order_changes (intent_id, n);
COMMENT ON TABLE order_changes IS 'the life of each order, a row a message';

CREATE TABLE orders (
    intent_id text PRIMARY KEY,
    message_id text NOT NULL,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    at timestamptz GENERATED ALWAYS AS (to_timestamp(ts_event / 1e9)) STORED,
    status text,
    mode text,
    desk text,
    account text,
    venue text,
    client_order_id text,
    strategy text,
    instrument_id text,
    side text,
    order_type text,
    limit_price numeric,
    reference_price numeric,
    requested_quantity numeric,
    quantity numeric,
    filled_quantity numeric,
    entry_price numeric,
    exit_price numeric,
    reasons jsonb,
    policy_version bigint,
    config_hash text,
    detail text
);
CREATE INDEX orders_by_time ON orders (ts_event);
CREATE INDEX orders_by_decision ON orders (decision_id);
COMMENT ON COLUMN orders.requested_quantity IS 'size before the gate';
COMMENT ON COLUMN orders.quantity IS 'size after the gate; 0 where it was denied';

CREATE TABLE fills (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    at timestamptz GENERATED ALWAYS AS (to_timestamp(ts_event / 1e9)) STORED,
    desk text NOT NULL,
    account text NOT NULL,
    venue text NOT NULL,
    instrument_id text NOT NULL,
    intent_id text NOT NULL,
    client_order_id text NOT NULL,
    venue_order_id text NOT NULL,
    trade_id text NOT NULL,
    side text NOT NULL,
    last_qty numeric NOT NULL,
    last_px numeric NOT NULL,
    cum_qty numeric NOT NULL,
    leaves_qty numeric NOT NULL,
    avg_px numeric NOT NULL,
    fee numeric NOT NULL,
    UNIQUE (account, trade_id)
);
CREATE INDEX fills_by_intent ON fills (intent_id);

CREATE TABLE positions (
    n bigint GENERATED ALWAYS AS IDENTITY,
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    account text NOT NULL,
    instrument_id text NOT NULL,
    trade_id text NOT NULL,
    quantity numeric NOT NULL,
    avg_px numeric NOT NULL,
    realised_pnl numeric NOT NULL
);
CREATE INDEX positions_by_instrument ON positions (account, instrument_id, n);
COMMENT ON TABLE positions IS 'the position after each fill; the last row of an instrument is now';

CREATE TABLE accounts (
    n bigint GENERATED ALWAYS AS IDENTITY,
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    at timestamptz GENERATED ALWAYS AS (to_timestamp(ts_event / 1e9)) STORED,
    desk text NOT NULL,
    account text NOT NULL,
    currency text NOT NULL,
    equity numeric NOT NULL,
    cash numeric NOT NULL,
    realised_pnl numeric NOT NULL,
    unrealised_pnl numeric NOT NULL,
    fees numeric NOT NULL,
    day_pnl numeric NOT NULL,
    window_pnl numeric NOT NULL,
    equity_at_day_start numeric NOT NULL,
    positions jsonb NOT NULL,
    ts_desk bigint NOT NULL
);
CREATE INDEX accounts_by_desk ON accounts (desk, account, n);
COMMENT ON TABLE accounts IS 'the equity curve';

CREATE TABLE proposals (
    n bigint GENERATED ALWAYS AS IDENTITY,
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    at timestamptz GENERATED ALWAYS AS (to_timestamp(ts_event / 1e9)) STORED,
    desk text NOT NULL,
    proposal_id text NOT NULL,
    provider text NOT NULL,
    parameter text NOT NULL,
    old double precision NOT NULL,
    proposed double precision NOT NULL,
    applied double precision NOT NULL,
    delta double precision NOT NULL,
    verdict text NOT NULL,
    phase text NOT NULL,
    seen_in_window bigint NOT NULL,
    accepted_in_window bigint NOT NULL,
    window_ns bigint NOT NULL,
    freeze_reasons jsonb NOT NULL,
    policy_version bigint NOT NULL,
    ts_desk bigint NOT NULL
);
CREATE INDEX proposals_by_desk ON proposals (desk, n);

CREATE TABLE model_calls (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    outcome text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    cost_usd numeric NOT NULL,
    latency_ns bigint NOT NULL,
    detail text NOT NULL,
    prompt text,
    prompt_hash text,
    answer text,
    tokens_in bigint,
    tokens_out bigint
);
CREATE INDEX model_calls_by_decision ON model_calls (decision_id);

CREATE TABLE policy_versions (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    version bigint NOT NULL,
    parameters jsonb NOT NULL,
    changes jsonb NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    proposal_id text,
    config_hash text NOT NULL
);
CREATE INDEX policy_versions_by_desk ON policy_versions (desk, version);

CREATE TABLE denials (
    message_id text NOT NULL,
    place integer NOT NULL,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    account text NOT NULL,
    intent_id text NOT NULL,
    instrument_id text NOT NULL,
    strategy text NOT NULL,
    side text NOT NULL,
    requested_quantity text NOT NULL,
    code text NOT NULL,
    observed text NOT NULL,
    "limit" text NOT NULL,
    policy_version bigint NOT NULL,
    epoch bigint NOT NULL,
    PRIMARY KEY (message_id, place)
);
COMMENT ON TABLE denials IS 'one row a failed control';

CREATE TABLE spans (
    trace_id text NOT NULL,
    span_id text NOT NULL,
    parent_span_id text NOT NULL,
    service text NOT NULL,
    name text NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint NOT NULL,
    failed boolean NOT NULL,
    attributes jsonb NOT NULL,
    PRIMARY KEY (trace_id, span_id)
);

CREATE TABLE alerts (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    at timestamptz GENERATED ALWAYS AS (to_timestamp(ts_event / 1e9)) STORED,
    desk text NOT NULL,
    service text NOT NULL,
    severity text NOT NULL,
    code text NOT NULL,
    text text NOT NULL,
    dedupe_key text NOT NULL
);

CREATE TABLE feed_status (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    instrument_id text NOT NULL,
    condition text NOT NULL,
    detail text NOT NULL,
    dropped boolean NOT NULL,
    observed double precision,
    "limit" double precision
);

CREATE TABLE replays (
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    dataset text NOT NULL,
    finished boolean NOT NULL,
    bars bigint NOT NULL,
    bars_published bigint,
    bars_dropped bigint,
    ticks bigint
);
