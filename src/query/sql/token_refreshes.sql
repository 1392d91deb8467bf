-- token_refreshes: attempts to refresh, newest first, once each
SELECT
${event_columns}
FROM events
-- all of it before the wide columns are read
PREWHERE type = 'mcp.auth.refresh'
    AND time >= {from:DateTime64(6, 'UTC')}
    AND time < {to:DateTime64(6, 'UTC')}
    AND ({workspace:Nullable(String)} IS NULL OR workspace = {workspace:Nullable(String)})
    AND ({slug:Nullable(String)} IS NULL OR slug = {slug:Nullable(String)})
    AND ({user_id:Nullable(String)} IS NULL OR user_id = {user_id:Nullable(String)})
    AND ({connection_id:Nullable(String)} IS NULL OR connection_id = {connection_id:Nullable(String)})
    AND ({outcome:Nullable(String)} IS NULL OR outcome = {outcome:Nullable(String)})
    AND ({after_time:Nullable(DateTime64(6, 'UTC'))} IS NULL
        OR (time, concat(source, ' ', event_id)) < ({after_time:Nullable(DateTime64(6, 'UTC'))}, {after_id:Nullable(String)}))
ORDER BY time DESC, concat(source, ' ', event_id) DESC
LIMIT 1 BY source, event_id
LIMIT {row_limit:UInt32}
