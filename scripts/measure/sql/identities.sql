-- Rows, and how many different rows there are by the identity of a row.
SELECT count(), uniqExact(ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index) FROM ${database}.events
