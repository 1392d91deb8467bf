-- One row a refused record: why, where it lies in Kafka, and a scrubbed excerpt. The record itself stays in Kafka.
CREATE TABLE IF NOT EXISTS ${database}.dead_letters
(
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(Nullable(String)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    kafka_index UInt32,
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    code LowCardinality(String),
    -- the member that is at fault, where one is
    field LowCardinality(Nullable(String)),
    detail String CODEC(ZSTD(1)),
    excerpt String CODEC(ZSTD(1)),
    record_bytes UInt64,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (kafka_topic, kafka_partition, kafka_offset, kafka_index)
TTL toDateTime(received_at) + toIntervalDay(${auth_retention_days})
SETTINGS
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000
