-- pending_dead_letters: dead letters that no replay has stored or given up yet, once each, by position
SELECT
    kafka_topic AS topic,
    nullIf(ifNull(kafka_topic_id, ''), '') AS topic_id,
    kafka_partition AS partition,
    kafka_offset AS offset,
    kafka_index AS index,
    any(dead_letters.code) AS code,
    any(dead_letters.received_at) AS received_at,
    any(dead_letters.record_bytes) AS record_bytes
FROM dead_letters
WHERE dead_letters.received_at >= {from:DateTime64(6, 'UTC')} AND dead_letters.received_at < {to:DateTime64(6, 'UTC')}
    AND ({code:Nullable(String)} IS NULL OR dead_letters.code = {code:Nullable(String)})
    AND ({topic:Nullable(String)} IS NULL OR kafka_topic = {topic:Nullable(String)})
    AND ({after_topic:Nullable(String)} IS NULL
        OR (kafka_topic, ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index)
            > (assumeNotNull({after_topic:Nullable(String)}), {after_topic_id:String}, {after_partition:Int32},
                {after_offset:Int64}, {after_index:UInt32}))
    AND (kafka_topic, ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index) NOT IN (
        SELECT kafka_topic, ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index
        FROM dead_letter_replays
        WHERE received_at >= {from:DateTime64(6, 'UTC')} AND received_at < {to:DateTime64(6, 'UTC')}
            AND outcome IN ('stored', 'gone_from_kafka'))
GROUP BY topic, topic_id, partition, offset, index
ORDER BY topic, ifNull(topic_id, ''), partition, offset, index
LIMIT {row_limit:UInt32}
