-- unresolved_reconciliations: ranges of a partition whose newest check found something lost or doubled
SELECT
    first_offset AS first,
    next_offset AS next,
    argMax(delivered, checked_at) AS delivered,
    argMax(dropped, checked_at) AS dropped
FROM ingest_reconciliations
WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
    AND kafka_partition = {partition:Int32}
GROUP BY first, next
HAVING argMax(lost, checked_at) + argMax(duplicates, checked_at) > 0
ORDER BY next DESC
LIMIT {row_limit:UInt32}
