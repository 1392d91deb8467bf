INSERT INTO events SELECT * EXCEPT (story, inserted_at) REPLACE
(
    {moved event_key} AS event_key,
    {moved request_key} AS request_key,
    {moved caused_by} AS caused_by,
    {moved flow_id} AS flow_id,
    sipHash128(trace_key, {copy:UInt64}) AS trace_key,
    toFixedString(substring(sipHash128(span_key, {copy:UInt64}), 1, 8), 8) AS span_key,
    time + toIntervalMillisecond({later_ms:UInt64}) AS time,
    received_at + toIntervalMillisecond({later_ms:UInt64}) AS received_at,
    kafka_offset + {copy:Int64} * 100000 AS kafka_offset,
    concat(workspace, '-', toString((story + {copy:UInt64}) % {workspaces:UInt64})) AS workspace,
    concat(user_id, '-', toString((story + {copy:UInt64}) % {workspaces:UInt64})) AS user_id,
    concat('hmac-sha256:', lower(hex(sipHash64(connection_id, (story + {copy:UInt64}) % {workspaces:UInt64})))) AS connection_id
)
FROM {first}.first_rows
SETTINGS async_insert = 0, prefer_column_name_to_alias = 1
