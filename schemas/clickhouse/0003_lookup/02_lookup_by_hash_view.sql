-- Only idempotent aggregates (min, max): inserting a row again changes nothing here.
-- Events are grouped before their ids become rows: most ids come with several events of a block.
CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lookup_view TO ${database}.lookup AS
SELECT
    pair.1 AS id_hash,
    pair.2 AS kind,
    workspace,
    slug,
    if(kind = 1, toUInt32(ifNull(sipHash64(connection_id), 0)), 0) AS connection,
    toMonday(first) AS week,
    first AS first_time,
    last AS last_time
FROM
(
    SELECT request_key, connection_id, links, workspace, slug, min(time) AS first, max(time) AS last
    FROM ${database}.events
    GROUP BY request_key, connection_id, links, workspace, slug, toMonday(time)
)
ARRAY JOIN arrayConcat(
    if(request_key = '', [], [(
        sipHash64(multiIf(
            length(request_key) = 16, UUIDNumToString(toFixedString(substring(request_key, 1, 16), 16)),
            startsWith(request_key, '\xFF'), substring(request_key, 2),
            request_key)),
        1)]),
    if(connection_id IS NULL, [], [(assumeNotNull(sipHash64(connection_id)), 5)]),
    if(links = '', [], arrayFilter(link -> link.1 != sipHash64(''), [
        (sipHash64(simpleJSONExtractString(links, 'client_request_id')), 2),
        (sipHash64(simpleJSONExtractString(links, 'caused_by')), 3),
        (sipHash64(simpleJSONExtractString(links, 'flow_id')), 4),
        (sipHash64(simpleJSONExtractString(links, 'http_upstream_request_id')), 6)]))
) AS pair
