-- locate_flows: where every event of these sign-in attempts is, once each
SELECT source, event_id, time, workspace, slug, kafka_topic, kafka_partition, kafka_offset, kafka_index
FROM events
-- written out: choosing the prewhere costs more than reading, on a table this wide
PREWHERE flow_id IN {flow_ids:Array(String)}
WHERE time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
ORDER BY time, kafka_topic, kafka_partition, kafka_offset, kafka_index
LIMIT 1 BY source, event_id
LIMIT {row_limit:UInt32}
