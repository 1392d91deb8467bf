-- flow_events: the events of these sign-in attempts, once each, first ones first
SELECT
${event_columns}
FROM events
PREWHERE flow_id IN {flow_ids:Array(String)}
WHERE (workspace IN {workspaces:Array(String)} OR (workspace IS NULL AND {any_without_workspace:Bool}))
    AND (slug IN {slugs:Array(String)} OR (slug IS NULL AND {any_without_slug:Bool}))
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
ORDER BY time, kafka_partition, kafka_offset, kafka_index
LIMIT 1 BY source, event_key
LIMIT {row_limit:UInt32}
