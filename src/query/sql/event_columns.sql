    hex(event_key) AS event_hex, hex(request_key) AS request_hex, hex(trace_key) AS trace_hex, hex(span_key) AS span_hex,
    time, received_at, toDateTime64(inserted_at, 6, 'UTC') AS inserted_at, kafka_partition, kafka_offset, kafka_index,
    type, workspace, slug, user_id, connection_id, credential_key_id,
    duration AS duration_ms, upstream_duration AS upstream_duration_ms,
    reporter, server, client, step, derived, links, rest
