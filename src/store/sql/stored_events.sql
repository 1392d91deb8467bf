-- stored_events: which rows of a range of one partition's offsets are in `events`, and how many copies of each
SELECT
    toInt64(kafka_offset) AS row_offset,
    toUInt32(kafka_index) AS row_index,
    count() AS copies
FROM events
WHERE time >= fromUnixTimestamp64Micro({first_time:Int64}, 'UTC')
    AND time <= fromUnixTimestamp64Micro({last_time:Int64}, 'UTC')
    AND kafka_partition = {partition:Int32}
    AND kafka_offset >= {first:Int64}
    AND kafka_offset < {next:Int64}
    -- rows without the topic's id are another topic's, unless the id is unknown now as well
    AND kafka_topic = {topic:String}
    AND ifNull(kafka_topic_id, '') = {topic_id:String}
GROUP BY row_offset, row_index
