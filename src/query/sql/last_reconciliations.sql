-- last_reconciliations: the newest continuous check of each partition of a topic
SELECT
    kafka_partition AS partition,
    max(ingest_reconciliations.checked_at) AS checked_at,
    max(next_offset) AS checked_to,
    argMax(ingest_reconciliations.lost, next_offset) AS lost,
    argMax(ingest_reconciliations.duplicates, next_offset) AS duplicates
FROM ingest_reconciliations
WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
GROUP BY partition
