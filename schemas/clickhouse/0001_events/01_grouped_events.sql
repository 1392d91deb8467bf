-- One row an event. NULL is unknown; '' never stands for it under a member's own name.
-- Few physical columns, since each costs at every insert, merge and look-up; where a member is stored is src/store/place.rs.
-- Sorted for time ranges of one server; a look-up by id goes through `lookup`, which tells server and time.
-- Calls are kept ${call_retention_days} days, everything else ${auth_retention_days}: they lie in partitions of their own, so whole parts are dropped.
-- Fresh parts are compact (a few files and not a hundred), and merges take up to 16 of a size, so that a row is merged less often.
CREATE TABLE IF NOT EXISTS ${database}.events
(
    -- what is compared by itself. Ids are packed: a UUID is 16 raw bytes, other text is itself, '' is NULL (src/store/packed_id.rs)
    event_key String CODEC(LZ4),
    request_key String CODEC(LZ4),
    -- 16 and 8 raw bytes; zeros, which W3C Trace Context forbids, are NULL
    trace_key FixedString(16) CODEC(LZ4),
    span_key FixedString(8) CODEC(LZ4),
    time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    -- the Kafka record's own timestamp
    received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    -- identity of the row: (kafka_topic_id, kafka_partition, kafka_offset, kafka_index)
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    kafka_index UInt32,
    type LowCardinality(String),
    workspace LowCardinality(Nullable(String)),
    slug LowCardinality(Nullable(String)),
    user_id LowCardinality(Nullable(String)),
    connection_id LowCardinality(Nullable(String)),
    credential_key_id LowCardinality(Nullable(String)),
    -- milliseconds; NaN is NULL
    duration Float64 CODEC(ZSTD(1)),
    upstream_duration Float64 CODEC(ZSTD(1)),
    -- JSON objects of what varies together, so that there are few of them. No spaces, absent is NULL, no object inside but `origins`
    reporter LowCardinality(String),
    server LowCardinality(String),
    client LowCardinality(String),
    step LowCardinality(String),
    derived LowCardinality(String),
    -- a JSON object of ids that few events carry, and one of everything else; '' when there is nothing
    links String CODEC(ZSTD(1)),
    rest String CODEC(ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)),

    -- Every member under its own name. Those of a group are computed once a distinct object, so they cost what a column would;
    -- those of `rest` are parsed row by row.
    -- envelope
    event_id String ALIAS multiIf(length(event_key) = 16, UUIDNumToString(toFixedString(substring(event_key, 1, 16), 16)), startsWith(event_key, '\xFF'), substring(event_key, 2), event_key),
    source LowCardinality(String) ALIAS simpleJSONExtractString(reporter, 'source'),
    trace_id Nullable(String) ALIAS if(trace_key = toFixedString('', 16), NULL, lower(hex(trace_key))),
    span_id Nullable(String) ALIAS if(span_key = toFixedString('', 8), NULL, lower(hex(span_key))),
    kafka_topic LowCardinality(String) ALIAS simpleJSONExtractString(reporter, 'kafka_topic'),
    kafka_topic_id LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(reporter, 'kafka_topic_id'), ''),
    -- data
    hop LowCardinality(String) ALIAS simpleJSONExtractString(step, 'hop'),
    outcome LowCardinality(String) ALIAS simpleJSONExtractString(step, 'outcome'),
    organization LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(reporter, 'organization'), ''),
    server_url LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(server, 'server_url'), ''),
    url_path LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(server, 'url_path'), ''),
    config_version LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(server, 'config_version'), ''),
    server_auth LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(server, 'server_auth'), ''),
    message Nullable(String) ALIAS JSONExtract(rest, 'message', 'Nullable(String)'),
    duration_ms Nullable(Float64) ALIAS if(isNaN(duration), NULL, duration),
    upstream_duration_ms Nullable(Float64) ALIAS if(isNaN(upstream_duration), NULL, upstream_duration),
    request_id Nullable(String) ALIAS nullIf(multiIf(length(request_key) = 16, UUIDNumToString(toFixedString(substring(request_key, 1, 16), 16)), startsWith(request_key, '\xFF'), substring(request_key, 2), request_key), ''),
    request_id_trust LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'request_id_trust'), ''),
    client_request_id Nullable(String) ALIAS nullIf(simpleJSONExtractString(links, 'client_request_id'), ''),
    caused_by Nullable(String) ALIAS nullIf(simpleJSONExtractString(links, 'caused_by'), ''),
    flow_id Nullable(String) ALIAS nullIf(simpleJSONExtractString(links, 'flow_id'), ''),
    session_id Nullable(String) ALIAS JSONExtract(rest, 'session_id', 'Nullable(String)'),
    initiator LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'initiator'), ''),
    user_agent LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(client, 'user_agent'), ''),
    -- gateway
    gateway_product LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(reporter, 'gateway_product'), ''),
    gateway_version LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(reporter, 'gateway_version'), ''),
    gateway_instance LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(reporter, 'gateway_instance'), ''),
    gateway_deployment LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(reporter, 'gateway_deployment'), ''),
    gateway_base_url LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(reporter, 'gateway_base_url'), ''),
    -- http
    http_method LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'http_method'), ''),
    http_status Nullable(UInt16) ALIAS if(simpleJSONHas(step, 'http_status'), toUInt16(simpleJSONExtractUInt(step, 'http_status')), NULL),
    http_upstream_status Nullable(UInt16) ALIAS if(simpleJSONHas(step, 'http_upstream_status'), toUInt16(simpleJSONExtractUInt(step, 'http_upstream_status')), NULL),
    http_answered_by LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'http_answered_by'), ''),
    http_content_type LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'http_content_type'), ''),
    http_upstream_request_id Nullable(String) ALIAS nullIf(simpleJSONExtractString(links, 'http_upstream_request_id'), ''),
    -- mcp
    mcp_method LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'mcp_method'), ''),
    mcp_tool LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'mcp_tool'), ''),
    mcp_prompt LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'mcp_prompt'), ''),
    mcp_resource_uri Nullable(String) ALIAS JSONExtract(rest, 'mcp_resource_uri', 'Nullable(String)'),
    mcp_protocol_version LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(client, 'mcp_protocol_version'), ''),
    mcp_jsonrpc_id Nullable(String) ALIAS JSONExtract(rest, 'mcp_jsonrpc_id', 'Nullable(String)'),
    mcp_error_code Nullable(Int64) ALIAS JSONExtract(rest, 'mcp_error_code', 'Nullable(Int64)'),
    mcp_result_count Nullable(UInt32) ALIAS JSONExtract(rest, 'mcp_result_count', 'Nullable(UInt32)'),
    -- credential
    credential_kind LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'credential_kind'), ''),
    credential_permissions Array(LowCardinality(String)) ALIAS JSONExtract(rest, 'credential_permissions', 'Array(LowCardinality(String))'),
    credential_sent Nullable(Bool) ALIAS if(simpleJSONHas(step, 'credential_sent'), simpleJSONExtractBool(step, 'credential_sent')::Bool, NULL),
    -- client
    client_name LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(client, 'client_name'), ''),
    client_version LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(client, 'client_version'), ''),
    client_address Nullable(String) ALIAS JSONExtract(rest, 'client_address', 'Nullable(String)'),
    -- oauth
    oauth_error Nullable(String) ALIAS JSONExtract(rest, 'oauth_error', 'Nullable(String)'),
    oauth_error_description Nullable(String) ALIAS JSONExtract(rest, 'oauth_error_description', 'Nullable(String)'),
    oauth_grant_type Nullable(String) ALIAS JSONExtract(rest, 'oauth_grant_type', 'Nullable(String)'),
    oauth_issuer LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(server, 'oauth_issuer'), ''),
    oauth_client_id Nullable(String) ALIAS JSONExtract(rest, 'oauth_client_id', 'Nullable(String)'),
    oauth_registration Nullable(String) ALIAS JSONExtract(rest, 'oauth_registration', 'Nullable(String)'),
    oauth_token_auth_method Nullable(String) ALIAS JSONExtract(rest, 'oauth_token_auth_method', 'Nullable(String)'),
    oauth_metadata_url Nullable(String) ALIAS JSONExtract(rest, 'oauth_metadata_url', 'Nullable(String)'),
    oauth_redirect_uri Nullable(String) ALIAS JSONExtract(rest, 'oauth_redirect_uri', 'Nullable(String)'),
    oauth_params_sent Array(LowCardinality(String)) ALIAS JSONExtract(rest, 'oauth_params_sent', 'Array(LowCardinality(String))'),
    oauth_params_received Array(LowCardinality(String)) ALIAS JSONExtract(rest, 'oauth_params_received', 'Array(LowCardinality(String))'),
    -- scope
    scope_configured Nullable(String) ALIAS JSONExtract(rest, 'scope_configured', 'Nullable(String)'),
    scope_requested Nullable(String) ALIAS JSONExtract(rest, 'scope_requested', 'Nullable(String)'),
    scope_granted Nullable(String) ALIAS JSONExtract(rest, 'scope_granted', 'Nullable(String)'),
    scope_required Nullable(String) ALIAS JSONExtract(rest, 'scope_required', 'Nullable(String)'),
    -- resource
    resource_registered Nullable(String) ALIAS JSONExtract(rest, 'resource_registered', 'Nullable(String)'),
    resource_advertised Nullable(String) ALIAS JSONExtract(rest, 'resource_advertised', 'Nullable(String)'),
    resource_requested Nullable(String) ALIAS JSONExtract(rest, 'resource_requested', 'Nullable(String)'),
    resource_audience Nullable(String) ALIAS JSONExtract(rest, 'resource_audience', 'Nullable(String)'),
    -- www_authenticate
    www_authenticate_error Nullable(String) ALIAS JSONExtract(rest, 'www_authenticate_error', 'Nullable(String)'),
    www_authenticate_scope Nullable(String) ALIAS JSONExtract(rest, 'www_authenticate_scope', 'Nullable(String)'),
    www_authenticate_resource_metadata Nullable(String) ALIAS JSONExtract(rest, 'www_authenticate_resource_metadata', 'Nullable(String)'),
    -- token
    token_kind LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'token_kind'), ''),
    token_fingerprint Nullable(String) ALIAS JSONExtract(rest, 'token_fingerprint', 'Nullable(String)'),
    token_new_fingerprint Nullable(String) ALIAS JSONExtract(rest, 'token_new_fingerprint', 'Nullable(String)'),
    token_expires_in Nullable(Int64) ALIAS JSONExtract(rest, 'token_expires_in', 'Nullable(Int64)'),
    token_age_s Nullable(Int64) ALIAS JSONExtract(rest, 'token_age_s', 'Nullable(Int64)'),
    token_refresh_age_s Nullable(Int64) ALIAS JSONExtract(rest, 'token_refresh_age_s', 'Nullable(Int64)'),
    token_rotated Nullable(Bool) ALIAS if(simpleJSONHas(step, 'token_rotated'), simpleJSONExtractBool(step, 'token_rotated')::Bool, NULL),
    token_trigger LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(step, 'token_trigger'), ''),
    token_attempt Nullable(UInt32) ALIAS if(simpleJSONHas(step, 'token_attempt'), toUInt32(simpleJSONExtractUInt(step, 'token_attempt')), NULL),
    -- what the contract has no member for, by path
    attributes Map(LowCardinality(String), String) ALIAS JSONExtract(rest, 'attributes', 'Map(LowCardinality(String), String)'),
    -- lists that were sent empty: an empty array alone cannot say whether the list was sent
    empty_lists Array(LowCardinality(String)) ALIAS JSONExtract(derived, 'empty_lists', 'Array(LowCardinality(String))'),
    -- members that were filled here, and from what
    origins Map(LowCardinality(String), LowCardinality(String)) ALIAS JSONExtract(derived, 'origins', 'Map(LowCardinality(String), LowCardinality(String))'),
    -- what the scrubber removed, as kind@member
    redactions Array(LowCardinality(String)) ALIAS JSONExtract(derived, 'redactions', 'Array(LowCardinality(String))'),
    -- verdict of this one event
    class LowCardinality(String) ALIAS simpleJSONExtractString(derived, 'class'),
    reason LowCardinality(Nullable(String)) ALIAS nullIf(simpleJSONExtractString(derived, 'reason'), ''),
    class_hop LowCardinality(String) ALIAS simpleJSONExtractString(derived, 'class_hop'),
    who_acts LowCardinality(String) ALIAS simpleJSONExtractString(derived, 'who_acts'),
    rule LowCardinality(String) ALIAS simpleJSONExtractString(derived, 'rule'),
    class_version LowCardinality(String) ALIAS simpleJSONExtractString(reporter, 'class_version'),
    confidence LowCardinality(String) ALIAS simpleJSONExtractString(derived, 'confidence'),
    evidence Map(LowCardinality(String), String) ALIAS JSONExtract(rest, 'evidence', 'Map(LowCardinality(String), String)')
)
ENGINE = MergeTree
PARTITION BY (toDate(time), type = 'mcp.call.completed')
ORDER BY (workspace, slug, time)
TTL toDateTime(time) + toIntervalDay(if(type = 'mcp.call.completed', ${call_retention_days}, ${auth_retention_days}))
SETTINGS
    allow_nullable_key = 1,
    ttl_only_drop_parts = 1,
    -- a look-up reads every column of two or three granules
    index_granularity = 2048,
    min_bytes_for_wide_part = 200000000,
    merge_selector_base = 32,
    -- ClickHouse 26 computes statistics of every column at each merge unless told not to; no query here uses them
    auto_statistics_types = '',
    non_replicated_deduplication_window = 10000
