-- gap_runs: ranges of a topic's offsets that retention took before they were stored
-- Not those of a truncated log: other records get these offsets again, and they are to be stored.
SELECT DISTINCT kafka_partition AS partition, first_offset AS first, next_offset AS next
FROM ingest_gaps
WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
    AND kafka_partition IN {partitions:Array(Int32)}
    AND reason = 'retention'
    AND first_offset < {most:Int64} AND next_offset > {least:Int64}
