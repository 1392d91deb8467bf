-- locate_connections: where is what was done about these connections in a window, once each, the newest when too much
SELECT source, event_id, time, workspace, slug, kafka_topic, kafka_partition, kafka_offset, kafka_index
FROM events
-- written out: choosing the prewhere costs more than reading, on a table this wide
PREWHERE connection_id IN {connection_ids:Array(String)} AND type IN {types:Array(String)}
WHERE time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
ORDER BY time DESC, kafka_topic, kafka_partition, kafka_offset, kafka_index
LIMIT 1 BY source, event_id
LIMIT {row_limit:UInt32}
