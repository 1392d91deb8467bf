-- exact_rows: what is stored of each partition, every row counted as it lies there. Exactly once means
-- rows = identities = next - first, with the first and the next offset that Kafka tells.
SELECT
    assumeNotNull(kafka_topic_id) AS topic_id,
    kafka_partition AS partition,
    count() AS rows,
    uniqExact(kafka_offset, kafka_index) AS identities,
    min(kafka_offset) AS first,
    max(kafka_offset) + 1 AS next
FROM
(
    SELECT kafka_topic_id, kafka_partition, kafka_offset, kafka_index FROM {db}.events
    UNION ALL
    SELECT kafka_topic_id, kafka_partition, kafka_offset, kafka_index FROM {db}.dead_letters
)
GROUP BY topic_id, partition
ORDER BY topic_id, partition
