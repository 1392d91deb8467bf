-- How long each record waited from its Kafka timestamp until it was seen in the table. A sample says: at this moment rows up to
-- this offset were there, in this partition of the table; a record counts from the first sample that covers it.
SELECT
    round(quantileExact(0.5)(waited_ms)),
    round(quantileExact(0.99)(waited_ms)),
    round(max(waited_ms)),
    count()
FROM
(
    SELECT (seen.visible_at_us - toUnixTimestamp64Micro(event.received_at)) / 1000 AS waited_ms
    FROM
    (
        SELECT _partition_id AS table_partition, kafka_partition, kafka_offset, received_at FROM ${database}.events
    ) AS event
    ASOF INNER JOIN
    (
        SELECT table_partition, kafka_partition, highest_offset, min(visible_at_us) AS visible_at_us
        FROM bench.samples WHERE run = '${run}'
        GROUP BY table_partition, kafka_partition, highest_offset
    ) AS seen
    ON event.table_partition = seen.table_partition
        AND event.kafka_partition = seen.kafka_partition
        AND event.kafka_offset <= seen.highest_offset
)
