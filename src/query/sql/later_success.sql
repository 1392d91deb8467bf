-- later_success: the first calls of the same person (or key) to the same server that went well after a moment
SELECT
${event_columns}
FROM events
PREWHERE workspace = {workspace:String} AND slug = {slug:String}
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
WHERE (user_id = {user_id:Nullable(String)}
        OR ({user_id:Nullable(String)} IS NULL AND user_id IS NULL AND credential_key_id = {key_id:Nullable(String)}))
    AND type IN ('mcp.request.completed', 'mcp.call.completed')
    AND outcome = 'success' AND class = 'none'
ORDER BY time
LIMIT {row_limit:UInt32}
