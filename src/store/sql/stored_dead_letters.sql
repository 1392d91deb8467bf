-- stored_dead_letters: which rows of a range of one partition's offsets are in `dead_letters`, and how many copies of each
SELECT
    toInt64(kafka_offset) AS row_offset,
    toUInt32(kafka_index) AS row_index,
    count() AS copies
FROM dead_letters
WHERE kafka_topic = {topic:String}
    AND kafka_partition = {partition:Int32}
    AND kafka_offset >= {first:Int64}
    AND kafka_offset < {next:Int64}
    -- rows without the topic's id are another topic's, unless the id is unknown now as well
    AND ifNull(kafka_topic_id, '') = {topic_id:String}
GROUP BY row_offset, row_index
