-- search_request_events: what a summary of each of these requests needs; the first 50 events of each
SELECT *
FROM
(
    SELECT
        event_id, source, type, time, hop, outcome, class, reason, class_hop, who_acts, rule, confidence,
        request_id, workspace, slug, user_id, client_name, mcp_tool, mcp_method, credential_sent, message, duration_ms
    FROM events
    WHERE request_id IN {request_ids:Array(String)}
        AND time >= {from:DateTime64(6, 'UTC')}
        AND time < {to:DateTime64(6, 'UTC')}
    ORDER BY time, kafka_topic, kafka_partition, kafka_offset, kafka_index
    LIMIT 1 BY source, event_id
)
ORDER BY time
LIMIT 50 BY request_id
