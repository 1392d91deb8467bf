-- (hash of an id, kind) → which server and when: with it a look-up by id reads a granule of `events` and not ninety days.
-- `id_hash` is sipHash64 of the id as text, whatever its kind; whoever reads compares the ids themselves in `events`.
-- `connection` is toUInt32(sipHash64(connection_id)) for requests, 0 for other kinds and for requests without one.
CREATE TABLE IF NOT EXISTS ${database}.lookup
(
    id_hash UInt64 CODEC(Delta, ZSTD(1)),
    kind Enum8('request' = 1, 'client_request' = 2, 'caused_by' = 3, 'flow' = 4, 'connection' = 5, 'upstream_request' = 6),
    workspace LowCardinality(Nullable(String)),
    slug LowCardinality(Nullable(String)),
    connection UInt32,
    week Date,
    -- whole seconds, rounded down
    first_time SimpleAggregateFunction(min, DateTime('UTC')) CODEC(ZSTD(1)),
    last_time SimpleAggregateFunction(max, DateTime('UTC')) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY week
ORDER BY (id_hash, kind, workspace, slug, connection)
TTL week + toIntervalDay(${auth_retention_days} + 7)
SETTINGS
    allow_nullable_key = 1,
    ttl_only_drop_parts = 1,
    index_granularity = 1024,
    min_bytes_for_wide_part = 200000000,
    merge_selector_base = 32,
    -- ClickHouse 26 computes statistics of every column at each merge unless told not to; no query here uses them
    auto_statistics_types = '',
    non_replicated_deduplication_window = 10000
