-- Entries that wait for people: what was asked, what happened to it, and how it stands.

CREATE TABLE approval_requests (
    n bigint GENERATED ALWAYS AS IDENTITY,
    message_id text NOT NULL,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    at timestamptz GENERATED ALWAYS AS (to_timestamp(ts_event / 1e9)) STORED,
    desk text NOT NULL,
    request_id text PRIMARY KEY,
    intent_id text NOT NULL,
    account text NOT NULL,
    strategy text NOT NULL,
    instrument_id text NOT NULL,
    side text NOT NULL,
    order_type text NOT NULL,
    quantity numeric NOT NULL,
    limit_price numeric,
    reference_price numeric NOT NULL,
    notional numeric NOT NULL,
    held numeric NOT NULL,
    reasons jsonb NOT NULL,
    conviction text NOT NULL,
    dissent text NOT NULL,
    max_move_bps double precision NOT NULL,
    expires_at bigint NOT NULL,
    needed integer NOT NULL
);
CREATE INDEX approval_requests_by_decision ON approval_requests (decision_id);
CREATE INDEX approval_requests_by_place ON approval_requests (n);
COMMENT ON COLUMN approval_requests.held IS 'of the instrument, when it was asked';

CREATE TABLE approval_events (
    n bigint GENERATED ALWAYS AS IDENTITY,
    message_id text PRIMARY KEY,
    decision_id text NOT NULL,
    ts_event bigint NOT NULL,
    desk text NOT NULL,
    request_id text NOT NULL,
    kind text NOT NULL,
    code text NOT NULL,
    by jsonb NOT NULL,
    reason text NOT NULL
);
CREATE INDEX approval_events_by_request ON approval_events (request_id, kind, n);
COMMENT ON TABLE approval_events IS 'a person''s word (counted), the end (decided), an approved entry that was not sent (lapsed)';

CREATE VIEW approvals AS
SELECT r.*,
    CASE WHEN lapsed.code IS NULL THEN COALESCE(decided.code, 'pending') ELSE 'lapsed' END AS state,
    COALESCE(decided.by, counted.by, '[]'::jsonb) AS by,
    COALESCE(lapsed.reason, decided.reason, '') AS reason,
    decided.ts_event AS decided_at
FROM approval_requests r
LEFT JOIN LATERAL (
    SELECT e.by FROM approval_events e
    WHERE e.request_id = r.request_id AND e.kind = 'counted' ORDER BY e.n DESC LIMIT 1
) counted ON true
LEFT JOIN LATERAL (
    SELECT e.code, e.by, e.reason, e.ts_event FROM approval_events e
    WHERE e.request_id = r.request_id AND e.kind = 'decided' ORDER BY e.n LIMIT 1
) decided ON true
LEFT JOIN LATERAL (
    SELECT e.code, e.reason FROM approval_events e
    WHERE e.request_id = r.request_id AND e.kind = 'lapsed' ORDER BY e.n LIMIT 1
) lapsed ON true;
COMMENT ON VIEW approvals IS 'each request as it stands: pending, how it was decided, or lapsed';
