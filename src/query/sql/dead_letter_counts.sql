-- dead_letter_counts: refused records by code, once each
SELECT
    code,
    uniqExact((kafka_topic, ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index)) AS records
FROM dead_letters
WHERE received_at >= {from:DateTime64(6, 'UTC')}
    AND received_at < {to:DateTime64(6, 'UTC')}
    AND ({topic:Nullable(String)} IS NULL OR kafka_topic = {topic:Nullable(String)})
    AND ({partition:Nullable(Int32)} IS NULL OR kafka_partition = {partition:Nullable(Int32)})
GROUP BY code
