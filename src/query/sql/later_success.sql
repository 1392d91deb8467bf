-- later_success: the events with which the next requests of the same person (or key) to the same server went well after a moment
SELECT
${event_columns}
FROM events
-- of a server's whole day few rows are this person's: only what is compared is read of the others
PREWHERE (user_id = {user_id:Nullable(String)}
        OR ({user_id:Nullable(String)} IS NULL AND user_id IS NULL AND credential_key_id = {key_id:Nullable(String)}))
    AND type IN ('mcp.request.completed', 'mcp.call.completed')
WHERE workspace = {workspace:String} AND slug = {slug:String}
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
    AND request_key NOT IN ('', unhex({own_key:String}))
    AND outcome = 'success' AND class = 'none'
ORDER BY time
LIMIT {row_limit:UInt32}
