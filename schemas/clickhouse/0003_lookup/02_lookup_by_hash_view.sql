-- Only idempotent aggregates (min, max): inserting a row again changes nothing here.
-- ASCII only (char(255), not its escape): `consume` reads the statement back to fill the view again.
-- Events are grouped before their ids become rows, since most ids come with several events of a block. What is left of rows with
-- the same key is put together by the table itself.
CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lookup_view TO ${database}.lookup AS
SELECT
    pair.1 AS id_hash,
    CAST(pair.2 AS Enum8('request' = 1, 'client_request' = 2, 'caused_by' = 3, 'flow' = 4, 'connection' = 5, 'upstream_request' = 6)) AS kind,
    workspace,
    slug,
    if(pair.2 = 1, toUInt32(ifNull(sipHash64(connection_id), 0)), 0) AS connection,
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
            startsWith(request_key, char(255)), substring(request_key, 2),
            request_key)),
        1)]),
    if(connection_id IS NULL, [], [(assumeNotNull(sipHash64(connection_id)), 5)]),
    if(links = '', [], arrayFilter(link -> link.1 != sipHash64(''), [
        (sipHash64(simpleJSONExtractString(links, 'client_request_id')), 2),
        (sipHash64(simpleJSONExtractString(links, 'caused_by')), 3),
        (sipHash64(simpleJSONExtractString(links, 'flow_id')), 4),
        (sipHash64(simpleJSONExtractString(links, 'http_upstream_request_id')), 6)]))
) AS pair
