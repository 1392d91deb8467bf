-- `events` with the verdicts that count now: what a later rule set said (`reclassifications`), else what they arrived with.
-- Every column of `events`, and `class_at_arrival`, `class_version_at_arrival`, `reclassified_at`. For queries that look at verdicts.
-- Two halves, so that a condition on the class is tested before the join where nothing was re-classified (ten times quicker than one
-- outer join), and so that a condition on the time reaches all four tables: `time` is part of both joins for that. Rows are found by keys
-- of fixed size; the topic is hashed, which only matters between rows of the same microsecond, partition, offset and index.
CREATE VIEW IF NOT EXISTS ${database}.classified_events AS
SELECT
    event_key, request_key, trace_key, span_key, events.time AS time, received_at, events.kafka_partition AS kafka_partition,
    events.kafka_offset AS kafka_offset, events.kafka_index AS kafka_index, events.type AS type, events.workspace AS workspace,
    events.slug AS slug, user_id, connection_id, credential_key_id, duration, upstream_duration, reporter, server, client, step,
    derived, links, rest, events.inserted_at AS inserted_at, event_id, source, trace_id, span_id,
    events.kafka_topic AS kafka_topic, events.kafka_topic_id AS kafka_topic_id, hop, outcome, organization, server_url,
    url_path, config_version, server_auth, message, duration_ms, upstream_duration_ms, request_id, request_id_trust,
    client_request_id, caused_by, flow_id, session_id, initiator, user_agent, gateway_product, gateway_version,
    gateway_instance, gateway_deployment, gateway_base_url, http_method, http_status, http_upstream_status, http_answered_by,
    http_content_type, http_upstream_request_id, mcp_method, mcp_tool, mcp_prompt, mcp_resource_uri, mcp_protocol_version,
    mcp_jsonrpc_id, mcp_error_code, mcp_result_count, credential_kind, credential_permissions, credential_sent, client_name,
    client_version, client_address, oauth_error, oauth_error_description, oauth_grant_type, oauth_issuer, oauth_client_id,
    oauth_registration, oauth_token_auth_method, oauth_metadata_url, oauth_redirect_uri, oauth_params_sent,
    oauth_params_received, scope_configured, scope_requested, scope_granted, scope_required, resource_registered,
    resource_advertised, resource_requested, resource_audience, www_authenticate_error, www_authenticate_scope,
    www_authenticate_resource_metadata, token_kind, token_fingerprint, token_new_fingerprint, token_expires_in, token_age_s,
    token_refresh_age_s, token_rotated, token_trigger, token_attempt, attributes, empty_lists, origins, redactions,
    events.class AS class, events.reason AS reason, events.class_hop AS class_hop, events.who_acts AS who_acts,
    events.rule AS rule, events.class_version AS class_version, events.confidence AS confidence, events.evidence AS evidence,
    events.class AS class_at_arrival, events.class_version AS class_version_at_arrival,
    CAST(NULL AS Nullable(DateTime64(3, 'UTC'))) AS reclassified_at
FROM ${database}.events AS events
LEFT ANTI JOIN ${database}.reclassifications AS later
    ON events.time = later.time
    AND events.kafka_partition = later.kafka_partition
    AND events.kafka_offset = later.kafka_offset
    AND events.kafka_index = later.kafka_index
    AND sipHash64(events.kafka_topic, ifNull(events.kafka_topic_id, '')) = sipHash64(later.kafka_topic, ifNull(later.kafka_topic_id, ''))
UNION ALL
SELECT
    event_key, request_key, trace_key, span_key, events.time AS time, received_at, events.kafka_partition AS kafka_partition,
    events.kafka_offset AS kafka_offset, events.kafka_index AS kafka_index, events.type AS type, events.workspace AS workspace,
    events.slug AS slug, user_id, connection_id, credential_key_id, duration, upstream_duration, reporter, server, client, step,
    derived, links, rest, events.inserted_at AS inserted_at, event_id, source, trace_id, span_id,
    events.kafka_topic AS kafka_topic, events.kafka_topic_id AS kafka_topic_id, hop, outcome, organization, server_url,
    url_path, config_version, server_auth, message, duration_ms, upstream_duration_ms, request_id, request_id_trust,
    client_request_id, caused_by, flow_id, session_id, initiator, user_agent, gateway_product, gateway_version,
    gateway_instance, gateway_deployment, gateway_base_url, http_method, http_status, http_upstream_status, http_answered_by,
    http_content_type, http_upstream_request_id, mcp_method, mcp_tool, mcp_prompt, mcp_resource_uri, mcp_protocol_version,
    mcp_jsonrpc_id, mcp_error_code, mcp_result_count, credential_kind, credential_permissions, credential_sent, client_name,
    client_version, client_address, oauth_error, oauth_error_description, oauth_grant_type, oauth_issuer, oauth_client_id,
    oauth_registration, oauth_token_auth_method, oauth_metadata_url, oauth_redirect_uri, oauth_params_sent,
    oauth_params_received, scope_configured, scope_requested, scope_granted, scope_required, resource_registered,
    resource_advertised, resource_requested, resource_audience, www_authenticate_error, www_authenticate_scope,
    www_authenticate_resource_metadata, token_kind, token_fingerprint, token_new_fingerprint, token_expires_in, token_age_s,
    token_refresh_age_s, token_rotated, token_trigger, token_attempt, attributes, empty_lists, origins, redactions,
    -- a row that was stored anew since was classified anew
    CAST(if(later.inserted_at >= events.inserted_at, later.class, events.class) AS LowCardinality(String)) AS class,
    CAST(if(later.inserted_at >= events.inserted_at, later.reason, events.reason) AS LowCardinality(Nullable(String))) AS reason,
    CAST(if(later.inserted_at >= events.inserted_at, later.class_hop, events.class_hop) AS LowCardinality(String)) AS class_hop,
    CAST(if(later.inserted_at >= events.inserted_at, later.who_acts, events.who_acts) AS LowCardinality(String)) AS who_acts,
    CAST(if(later.inserted_at >= events.inserted_at, later.rule, events.rule) AS LowCardinality(String)) AS rule,
    CAST(if(later.inserted_at >= events.inserted_at, later.class_version, events.class_version) AS LowCardinality(String)) AS class_version,
    CAST(if(later.inserted_at >= events.inserted_at, later.confidence, events.confidence) AS LowCardinality(String)) AS confidence,
    if(later.inserted_at >= events.inserted_at, later.evidence, events.evidence) AS evidence,
    events.class AS class_at_arrival, events.class_version AS class_version_at_arrival,
    CAST(if(later.inserted_at >= events.inserted_at, later.reclassified_at, NULL) AS Nullable(DateTime64(3, 'UTC'))) AS reclassified_at
FROM ${database}.events AS events
INNER JOIN
(
    SELECT
        time, kafka_topic, kafka_topic_id, kafka_partition, kafka_offset, kafka_index, class, reason, class_hop, who_acts, rule,
        class_version, confidence, evidence, reclassified_at, inserted_at
    FROM ${database}.reclassifications FINAL
) AS later
    ON events.time = later.time
    AND events.kafka_partition = later.kafka_partition
    AND events.kafka_offset = later.kafka_offset
    AND events.kafka_index = later.kafka_index
    AND sipHash64(events.kafka_topic, ifNull(events.kafka_topic_id, '')) = sipHash64(later.kafka_topic, ifNull(later.kafka_topic_id, ''))
