-- One number for the content of the columns that need no scrubbing and no enrichment: equal numbers, equal rows.
SELECT sum(cityHash64(
    kafka_partition, kafka_offset, event_id, source, type, time, received_at, trace_id, span_id, hop, outcome, request_id,
    http_status, mcp_tool, client_name, duration_ms, oauth_params_sent))
FROM ${database}.events
