-- One row a range of offsets that can never be stored: Kafka no longer has it. Written instead of skipping in silence.
-- Noticing a gap again changes nothing: same position, same row. Ranges may overlap; whoever counts takes their union.
CREATE TABLE IF NOT EXISTS ${database}.ingest_gaps
(
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(Nullable(String)),
    kafka_partition Int32,
    -- first offset that is gone
    first_offset Int64,
    -- offset after the last one that is gone
    next_offset Int64,
    -- retention: deleted before it was read; log_truncated: the log ends before the committed offset
    reason LowCardinality(String),
    noticed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (kafka_topic, kafka_topic_id, kafka_partition, first_offset, next_offset)
SETTINGS
    allow_nullable_key = 1,
    non_replicated_deduplication_window = 10000
