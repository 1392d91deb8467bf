-- The rows that are copied, each with the story it belongs to: all events of a request, or else of a connection, stay in one workspace.
CREATE TABLE {first}.first_rows ENGINE = MergeTree ORDER BY time AS
SELECT
    * EXCEPT (connection_of_request),
    cityHash64(coalesce(connection_of_request, connection_id, concat(ifNull(workspace, ''), ifNull(slug, '')))) AS story,
    simpleJSONExtractString(links, 'flow_id') AS flow,
    simpleJSONExtractString(links, 'caused_by') AS cause,
    -- packed as request_key is
    if(length(cause) = 36, CAST(UUIDStringToNum(cause), 'String'), cause) AS cause_key
FROM
(
    SELECT *, if(request_key = '', NULL, max(connection_id) OVER (PARTITION BY request_key)) AS connection_of_request
    FROM {first}.events
)
