-- One row an applied step. A binary refuses to run on a version it does not know.
CREATE TABLE IF NOT EXISTS ${database}.schema_migrations
(
    version UInt32,
    step UInt32,
    name String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (version, step)
SETTINGS non_replicated_deduplication_window = 10000
