-- (kind, id) → when: bounds a look-up by id in time, so that it reads one day of `events` and not ninety.
CREATE TABLE IF NOT EXISTS ${database}.lookup
(
    kind LowCardinality(String),
    id String CODEC(ZSTD(1)),
    day Date,
    first_time SimpleAggregateFunction(min, DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1)),
    last_time SimpleAggregateFunction(max, DateTime64(6, 'UTC')) CODEC(Delta, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY (kind, id)
TTL day + toIntervalDay(${auth_retention_days})
SETTINGS
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000
