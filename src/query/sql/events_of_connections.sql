-- events_of_connections: what was done about these connections in a window, once each, the newest when there are too many
SELECT * REPLACE (toDateTime64(inserted_at, 6, 'UTC') AS inserted_at)
FROM events
-- written out: choosing the prewhere costs more than reading, on a table this wide
PREWHERE connection_id IN {connection_ids:Array(String)}
WHERE type IN {types:Array(String)}
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
ORDER BY time DESC, kafka_topic, kafka_partition, kafka_offset, kafka_index
LIMIT 1 BY source, event_id
LIMIT {row_limit:UInt32}
