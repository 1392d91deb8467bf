INSERT INTO events (* EXCEPT (inserted_at))
SELECT * EXCEPT (story, flow, cause, cause_key, inserted_at) REPLACE
(
    {moved event_key} AS event_key,
    {moved request_key} AS request_key,
    CAST(sipHash128(trace_key, {copy:UInt64}), 'FixedString(16)') AS trace_key,
    toFixedString(substring(CAST(sipHash128(span_key, {copy:UInt64}), 'String'), 1, 8), 8) AS span_key,
    time + toIntervalMillisecond({later_ms:UInt64}) AS time,
    received_at + toIntervalMillisecond({later_ms:UInt64}) AS received_at,
    kafka_offset + {copy:Int64} * 100000 AS kafka_offset,
    concat(workspace, '-', toString((story + {copy:UInt64}) % {workspaces:UInt64})) AS workspace,
    concat(user_id, '-', toString((story + {copy:UInt64}) % {workspaces:UInt64})) AS user_id,
    concat('hmac-sha256:', lower(hex(sipHash64(connection_id, (story + {copy:UInt64}) % {workspaces:UInt64})))) AS connection_id,
    -- what others are compared with: the sign-in attempt, and the request that is retried
    if(cause = '',
        if(flow = '', links, replaceOne(links, flow, {moved flow})),
        replaceOne(
            if(flow = '', links, replaceOne(links, flow, {moved flow})),
            cause,
            if(length(cause_key) = 16, UUIDNumToString(CAST({moved cause_key}, 'FixedString(16)')), {moved cause_key}))) AS links
)
FROM {first}.first_rows
SETTINGS async_insert = 0, prefer_column_name_to_alias = 1
