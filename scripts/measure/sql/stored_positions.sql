-- What is stored of each partition, every row counted as it lies there, events and dead letters together: rows, different
-- identities, first offset, one past the last.
SELECT
    ifNull(kafka_topic_id, '?') AS topic_id,
    kafka_partition,
    count(),
    uniqExact(kafka_offset, kafka_index),
    min(kafka_offset),
    max(kafka_offset) + 1
FROM
(
    SELECT kafka_topic_id, kafka_partition, kafka_offset, kafka_index FROM ${database}.events
    UNION ALL
    SELECT kafka_topic_id, kafka_partition, kafka_offset, kafka_index FROM ${database}.dead_letters
)
GROUP BY topic_id, kafka_partition
ORDER BY topic_id, kafka_partition
