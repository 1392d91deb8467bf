-- Fills the look-up table from each insert into `events`.
CREATE MATERIALIZED VIEW ${database}.lookup_view TO ${database}.lookup AS
SELECT
    pair.1 AS kind,
    assumeNotNull(pair.2) AS id,
    toDate(time) AS day,
    min(time) AS first_time,
    max(time) AS last_time
FROM ${database}.events
ARRAY JOIN [
    ('request', request_id),
    ('client_request', client_request_id),
    ('caused_by', caused_by),
    ('flow', flow_id),
    ('connection', connection_id),
    ('trace', trace_id),
    ('upstream_request', http_upstream_request_id)
] AS pair
WHERE pair.2 IS NOT NULL
GROUP BY kind, id, day
