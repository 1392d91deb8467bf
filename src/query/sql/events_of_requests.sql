-- events_of_requests: every event that carries one of these request ids, once each
SELECT * REPLACE (toDateTime64(inserted_at, 6, 'UTC') AS inserted_at)
FROM events
-- written out: choosing the prewhere costs more than reading, on a table this wide
PREWHERE request_id IN {request_ids:Array(String)}
WHERE time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
ORDER BY time, kafka_topic, kafka_partition, kafka_offset, kafka_index
LIMIT 1 BY source, event_id
LIMIT {row_limit:UInt32}
