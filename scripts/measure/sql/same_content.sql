-- One number for the content of the columns that need no scrubbing and no enrichment: equal numbers, equal rows.
-- `request_id` is not among them: enrichment fills it.
SELECT sum(cityHash64(
    kafka_partition, kafka_offset, event_id, source, type, time, received_at, ifNull(trace_id, ''), ifNull(span_id, ''),
    toString(hop), toString(outcome), ifNull(toString(http_status), ''), ifNull(mcp_tool, ''),
    ifNull(client_name, '')))
FROM ${database}.events
