-- trace_events: the events of these traces in a window, once each, first ones first
SELECT
${event_columns}
FROM events
PREWHERE hex(trace_key) IN {trace_keys:Array(String)}
WHERE (workspace IN {workspaces:Array(String)} OR workspace IS NULL OR {any_workspace:Bool})
    AND (slug IN {slugs:Array(String)} OR slug IS NULL OR {any_slug:Bool})
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
ORDER BY time, kafka_partition, kafka_offset, kafka_index
LIMIT 1 BY source, event_key
LIMIT {row_limit:UInt32}
