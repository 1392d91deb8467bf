-- What a later rule set says of rows of `events`, which are never changed. `gatetrail replay --reclassify` adds to it.
-- One row an event whose verdict differs; of several with the same identity the one of the run that began last counts, so adding the
-- same again changes nothing. It counts for a row of `events` that was inserted before it: one that was stored anew since was
-- classified anew. Sorted, kept and dropped like `events`.
CREATE TABLE IF NOT EXISTS ${database}.reclassifications
(
    time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    type LowCardinality(String),
    workspace LowCardinality(Nullable(String)),
    slug LowCardinality(Nullable(String)),
    -- identity of the row of `events`
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(Nullable(String)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    kafka_index UInt32,
    -- the verdict, as in `events`
    class LowCardinality(String),
    reason LowCardinality(Nullable(String)),
    class_hop LowCardinality(String),
    who_acts LowCardinality(String),
    rule LowCardinality(String),
    class_version LowCardinality(String),
    confidence LowCardinality(String),
    evidence Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    -- when the run began that decided so, by this server's clock
    reclassified_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(reclassified_at)
PARTITION BY (toDate(time), type = 'mcp.call.completed')
ORDER BY (workspace, slug, time, kafka_partition, kafka_offset, kafka_index, kafka_topic, kafka_topic_id)
TTL toDateTime(time) + toIntervalDay(if(type = 'mcp.call.completed', ${call_retention_days}, ${auth_retention_days}))
SETTINGS
    allow_nullable_key = 1,
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000
