-- stored_runs: the offsets of a range that have a row in `events` or `dead_letters`, as runs without a hole
SELECT min(kafka_offset) AS first, max(kafka_offset) + 1 AS next
FROM
(
    SELECT kafka_offset, kafka_offset - row_number() OVER (ORDER BY kafka_offset) AS run
    FROM
    (
        SELECT DISTINCT kafka_offset
        FROM
        (
            SELECT kafka_offset
            FROM events
            WHERE time >= {from:DateTime64(6, 'UTC')} AND time < {to:DateTime64(6, 'UTC')}
                AND kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
                AND kafka_partition = {partition:Int32}
                AND kafka_offset >= {first:Int64} AND kafka_offset < {next:Int64}
            UNION ALL
            SELECT kafka_offset
            FROM dead_letters
            WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
                AND kafka_partition = {partition:Int32}
                AND kafka_offset >= {first:Int64} AND kafka_offset < {next:Int64}
        )
    )
)
GROUP BY run
ORDER BY first
