-- dead_letters: refused records, newest first, once each
-- The inner query sorts positions alone: excerpts are read for the rows of the page only, however many were refused.
WITH
    concat(kafka_topic, ' ', ifNull(kafka_topic_id, ''), ' ', leftPad(toString(kafka_partition), 10, '0'), ' ',
        leftPad(toString(kafka_offset), 19, '0'), ' ', leftPad(toString(kafka_index), 10, '0')) AS record_position
SELECT
    received_at, code, field, detail, excerpt, record_bytes,
    kafka_topic, kafka_topic_id, kafka_partition, kafka_offset, kafka_index, record_position
FROM dead_letters
WHERE (kafka_topic, ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index, received_at, code) IN (
    SELECT kafka_topic, ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index, received_at, code
    FROM dead_letters
    WHERE received_at >= {from:DateTime64(6, 'UTC')}
        AND received_at < {to:DateTime64(6, 'UTC')}
        AND ({code:Nullable(String)} IS NULL OR code = {code:Nullable(String)})
        AND ({topic:Nullable(String)} IS NULL OR kafka_topic = {topic:Nullable(String)})
        AND ({partition:Nullable(Int32)} IS NULL OR kafka_partition = {partition:Nullable(Int32)})
        AND ({after_time:Nullable(DateTime64(6, 'UTC'))} IS NULL
            OR (received_at, record_position) < ({after_time:Nullable(DateTime64(6, 'UTC'))}, {after_id:Nullable(String)}))
    ORDER BY received_at DESC, record_position DESC
    LIMIT 1 BY record_position
    LIMIT {row_limit:UInt32})
ORDER BY received_at DESC, record_position DESC
LIMIT 1 BY record_position
