-- last_reconciliations: how far the continuous checks of a topic's partitions came, and what is not in order as last seen
SELECT
    partition,
    max(last_checked_at) AS checked_at,
    max(next) AS checked_to,
    sum(last_lost) AS lost,
    sum(last_duplicates) AS duplicates
FROM
(
    SELECT
        kafka_partition AS partition,
        next_offset AS next,
        max(ingest_reconciliations.checked_at) AS last_checked_at,
        argMax(ingest_reconciliations.lost, ingest_reconciliations.checked_at) AS last_lost,
        argMax(ingest_reconciliations.duplicates, ingest_reconciliations.checked_at) AS last_duplicates
    FROM ingest_reconciliations
    WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
    GROUP BY partition, first_offset, next
)
GROUP BY partition
