-- connection_events: the steps about these connections in a window, once each, the newest when there are too many
SELECT
${event_columns}
FROM events
PREWHERE type IN {step_types:Array(String)} AND connection_id IN {connection_ids:Array(String)}
WHERE (workspace IN {workspaces:Array(String)} OR (workspace IS NULL AND {any_without_workspace:Bool}))
    AND (slug IN {slugs:Array(String)} OR (slug IS NULL AND {any_without_slug:Bool}))
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
ORDER BY time DESC, kafka_partition, kafka_offset, kafka_index
LIMIT 1 BY source, event_key
LIMIT {row_limit:UInt32}
