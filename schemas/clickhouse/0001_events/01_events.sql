-- One row an event. NULL is unknown; '' never stands for it.
-- Sorted for time ranges of one server; a look-up by id goes through `lookup`, then the bloom filter.
-- Calls are kept ${call_retention_days} days, everything else ${auth_retention_days}: they lie in partitions of their own, so whole parts are dropped.
CREATE TABLE IF NOT EXISTS ${database}.events
(
    -- envelope
    event_id String CODEC(ZSTD(1)),
    source LowCardinality(String),
    type LowCardinality(String),
    time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    -- the Kafka record's own timestamp
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id Nullable(String) CODEC(ZSTD(1)),
    span_id Nullable(String) CODEC(ZSTD(1)),
    -- identity of the row: (kafka_topic_id, kafka_partition, kafka_offset, kafka_index)
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(Nullable(String)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    kafka_index UInt32,
    -- data
    hop LowCardinality(String),
    outcome LowCardinality(String),
    workspace LowCardinality(Nullable(String)),
    organization LowCardinality(Nullable(String)),
    slug LowCardinality(Nullable(String)),
    server_url LowCardinality(Nullable(String)),
    url_path LowCardinality(Nullable(String)),
    config_version LowCardinality(Nullable(String)),
    message Nullable(String) CODEC(ZSTD(1)),
    duration_ms Nullable(Float64),
    upstream_duration_ms Nullable(Float64),
    request_id Nullable(String) CODEC(ZSTD(1)),
    request_id_trust LowCardinality(Nullable(String)),
    client_request_id Nullable(String) CODEC(ZSTD(1)),
    caused_by Nullable(String) CODEC(ZSTD(1)),
    flow_id Nullable(String) CODEC(ZSTD(1)),
    connection_id Nullable(String) CODEC(ZSTD(1)),
    session_id Nullable(String) CODEC(ZSTD(1)),
    user_id LowCardinality(Nullable(String)),
    server_auth LowCardinality(Nullable(String)),
    initiator LowCardinality(Nullable(String)),
    user_agent LowCardinality(Nullable(String)),
    -- gateway
    gateway_product LowCardinality(Nullable(String)),
    gateway_version LowCardinality(Nullable(String)),
    gateway_instance LowCardinality(Nullable(String)),
    gateway_deployment LowCardinality(Nullable(String)),
    gateway_base_url LowCardinality(Nullable(String)),
    -- http
    http_method LowCardinality(Nullable(String)),
    http_status Nullable(UInt16),
    http_upstream_status Nullable(UInt16),
    http_answered_by LowCardinality(Nullable(String)),
    http_content_type LowCardinality(Nullable(String)),
    http_upstream_request_id Nullable(String) CODEC(ZSTD(1)),
    -- mcp
    mcp_method LowCardinality(Nullable(String)),
    mcp_tool LowCardinality(Nullable(String)),
    mcp_prompt LowCardinality(Nullable(String)),
    mcp_resource_uri Nullable(String) CODEC(ZSTD(1)),
    mcp_protocol_version LowCardinality(Nullable(String)),
    mcp_jsonrpc_id Nullable(String) CODEC(ZSTD(1)),
    mcp_error_code Nullable(Int64),
    mcp_result_count Nullable(UInt32),
    -- credential
    credential_kind LowCardinality(Nullable(String)),
    credential_key_id LowCardinality(Nullable(String)),
    credential_permissions Array(LowCardinality(String)),
    credential_sent Nullable(Bool),
    -- client
    client_name LowCardinality(Nullable(String)),
    client_version LowCardinality(Nullable(String)),
    client_address Nullable(String) CODEC(ZSTD(1)),
    -- oauth
    oauth_error LowCardinality(Nullable(String)),
    oauth_error_description Nullable(String) CODEC(ZSTD(1)),
    oauth_grant_type LowCardinality(Nullable(String)),
    oauth_issuer LowCardinality(Nullable(String)),
    oauth_client_id LowCardinality(Nullable(String)),
    oauth_registration LowCardinality(Nullable(String)),
    oauth_token_auth_method LowCardinality(Nullable(String)),
    oauth_metadata_url LowCardinality(Nullable(String)),
    oauth_redirect_uri LowCardinality(Nullable(String)),
    oauth_params_sent Array(LowCardinality(String)),
    oauth_params_received Array(LowCardinality(String)),
    -- scope
    scope_configured LowCardinality(Nullable(String)),
    scope_requested LowCardinality(Nullable(String)),
    scope_granted LowCardinality(Nullable(String)),
    scope_required LowCardinality(Nullable(String)),
    -- resource
    resource_registered LowCardinality(Nullable(String)),
    resource_advertised LowCardinality(Nullable(String)),
    resource_requested LowCardinality(Nullable(String)),
    resource_audience LowCardinality(Nullable(String)),
    -- www_authenticate
    www_authenticate_error LowCardinality(Nullable(String)),
    www_authenticate_scope LowCardinality(Nullable(String)),
    www_authenticate_resource_metadata LowCardinality(Nullable(String)),
    -- token
    token_kind LowCardinality(Nullable(String)),
    token_fingerprint Nullable(String) CODEC(ZSTD(1)),
    token_new_fingerprint Nullable(String) CODEC(ZSTD(1)),
    token_expires_in Nullable(Int64),
    token_age_s Nullable(Int64),
    token_refresh_age_s Nullable(Int64),
    token_rotated Nullable(Bool),
    token_trigger LowCardinality(Nullable(String)),
    token_attempt Nullable(UInt32),
    -- what the contract has no member for, by path
    attributes Map(LowCardinality(String), String),
    -- lists that were sent empty: an empty array alone cannot say whether the list was sent
    empty_lists Array(LowCardinality(String)),
    -- members that were filled here, and from what
    origins Map(LowCardinality(String), LowCardinality(String)),
    -- what the scrubber removed, as kind@member
    redactions Array(LowCardinality(String)),
    -- verdict of this one event
    class LowCardinality(String),
    reason LowCardinality(Nullable(String)),
    class_hop LowCardinality(String),
    who_acts LowCardinality(String),
    rule LowCardinality(String),
    class_version LowCardinality(String),
    confidence LowCardinality(String),
    evidence Map(LowCardinality(String), String),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
    INDEX request_id_bloom request_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX connection_id_bloom connection_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX flow_id_bloom flow_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (toDate(time), type = 'mcp.call.completed')
ORDER BY (workspace, slug, time)
TTL toDateTime(time) + toIntervalDay(if(type = 'mcp.call.completed', ${call_retention_days}, ${auth_retention_days}))
SETTINGS
    allow_nullable_key = 1,
    ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000
