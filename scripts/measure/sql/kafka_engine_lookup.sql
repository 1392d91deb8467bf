-- Where an id is: the look-up that such a table needs, since it is sorted by server and time.
CREATE TABLE ${database}.lookup
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
TTL day + toIntervalDay(90)
SETTINGS
    ttl_only_drop_parts = 1
