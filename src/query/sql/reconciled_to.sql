-- reconciled_to: up to which offset a partition was checked, not beyond what is committed; no row when it never was
SELECT max(next_offset) AS next
FROM ingest_reconciliations
WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
    AND kafka_partition = {partition:Int32}
    AND next_offset <= {committed:Int64}
HAVING count() > 0
