-- One row a checked range of a partition: what Kafka delivered against what is stored. `lost` and `duplicates` must be 0.
CREATE TABLE IF NOT EXISTS ${database}.ingest_reconciliations
(
    checked_at DateTime64(3, 'UTC'),
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(Nullable(String)),
    kafka_partition Int32,
    first_offset Int64,
    next_offset Int64,
    -- distinct offsets that Kafka delivered
    delivered UInt64,
    -- raw rows of `events` and of `dead_letters`
    rows UInt64,
    dead_letters UInt64,
    -- records left out on purpose
    dropped UInt64,
    -- offsets that `ingest_gaps` names
    gaps UInt64,
    -- offsets that Kafka no longer had when the range was to be read again, so that nothing can be said of them
    unchecked UInt64,
    lost UInt64,
    duplicates UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(checked_at)
ORDER BY (kafka_topic, kafka_topic_id, kafka_partition, next_offset)
TTL toDateTime(checked_at) + toIntervalDay(${auth_retention_days})
SETTINGS
    allow_nullable_key = 1,
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000
