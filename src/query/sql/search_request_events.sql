-- search_request_events: what a summary of each of these requests needs; the first 50 events of each
SELECT *
FROM
(
    SELECT
${event_columns}
    FROM events
    PREWHERE hex(request_key) IN {request_keys:Array(String)}
    WHERE (workspace IN {workspaces:Array(String)} OR (workspace IS NULL AND {any_without_workspace:Bool}))
        AND (slug IN {slugs:Array(String)} OR (slug IS NULL AND {any_without_slug:Bool}))
        AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
    ORDER BY time, kafka_partition, kafka_offset, kafka_index
    LIMIT 1 BY source, event_key
)
ORDER BY time
LIMIT 50 BY request_hex
