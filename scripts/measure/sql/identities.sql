-- Rows, and how many different rows there are by position; the table holds one topic's.
SELECT count(), uniqExact(kafka_partition, kafka_offset, kafka_index) FROM ${database}.events
