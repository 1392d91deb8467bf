-- stored_counts: what ranges of offsets of one topic have in `events` and `dead_letters`, one range a partition
-- Raw rows against distinct rows. Offsets lie close together, so bitmaps count them in little memory. A position that is in
-- both tables is stored twice, unless its dead letter was replayed.
SELECT
    kafka_partition AS partition,
    countIf(from_events) AS event_rows,
    countIf(NOT from_events) AS dead_letter_rows,
    groupBitmap(toUInt64(kafka_offset)) AS offsets,
    groupBitmapIf(toUInt64(kafka_offset), from_events AND kafka_index = 0)
        + uniqExactIf((kafka_offset, kafka_index), from_events AND kafka_index > 0) AS distinct_events,
    uniqExactIf((kafka_offset, kafka_index), NOT from_events) AS distinct_dead_letters,
    uniqExactIf((kafka_offset, kafka_index), from_events AND is_refused) AS in_both
FROM
(
    SELECT kafka_partition, kafka_offset, kafka_index, true AS from_events,
        (kafka_partition, kafka_offset, kafka_index) IN (
            SELECT kafka_partition, kafka_offset, kafka_index
            FROM dead_letters
            WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
                AND kafka_partition IN {partitions:Array(Int32)}
                AND kafka_offset >= {least:Int64} AND kafka_offset < {most:Int64}
                AND (kafka_partition, kafka_offset, kafka_index) NOT IN (
                    SELECT kafka_partition, kafka_offset, kafka_index
                    FROM dead_letter_replays
                    WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
                        AND kafka_partition IN {partitions:Array(Int32)}
                        AND kafka_offset >= {least:Int64} AND kafka_offset < {most:Int64}
                        AND outcome = 'stored')) AS is_refused
    FROM events
    WHERE time >= {from:DateTime64(6, 'UTC')} AND time < {to:DateTime64(6, 'UTC')}
        AND kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
        AND kafka_partition IN {partitions:Array(Int32)}
        AND kafka_offset >= {least:Int64} AND kafka_offset < {most:Int64}
    UNION ALL
    SELECT kafka_partition, kafka_offset, kafka_index, false, false
    FROM dead_letters
    WHERE kafka_topic = {topic:String} AND ifNull(kafka_topic_id, '') = {topic_id:String}
        AND kafka_partition IN {partitions:Array(Int32)}
        AND kafka_offset >= {least:Int64} AND kafka_offset < {most:Int64}
)
WHERE kafka_offset >= transform(kafka_partition, {partitions:Array(Int32)}, {firsts:Array(Int64)}, {most:Int64})
    AND kafka_offset < transform(kafka_partition, {partitions:Array(Int32)}, {nexts:Array(Int64)}, {least:Int64})
GROUP BY partition
