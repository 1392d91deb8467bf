-- search_request_ids: requests of which each filter holds for some event, newest first
-- `${events}` is the table, or the view with later verdicts where there are any and a filter asks for them.
SELECT
    hex(request_key) AS key,
    min(time) AS started
FROM ${events}
WHERE time >= {from:DateTime64(6, 'UTC')}
    AND time < {to:DateTime64(6, 'UTC')}
    AND request_key != ''
    AND ({workspace:Nullable(String)} IS NULL OR workspace = {workspace:Nullable(String)})
    AND ({slug:Nullable(String)} IS NULL OR slug = {slug:Nullable(String)})
GROUP BY request_key
-- "IS NULL OR" stands inside the aggregates, where it folds to a constant and the column of an absent filter is not read
HAVING countIf({user_id:Nullable(String)} IS NULL OR user_id = {user_id:Nullable(String)}) > 0
    AND countIf({client:Nullable(String)} IS NULL OR client_name = {client:Nullable(String)}) > 0
    AND countIf({tool:Nullable(String)} IS NULL OR mcp_tool = {tool:Nullable(String)}) > 0
    AND countIf({issuer:Nullable(String)} IS NULL OR oauth_issuer = {issuer:Nullable(String)}) > 0
    AND countIf({class:Nullable(String)} IS NULL OR {class:Nullable(String)} = 'none' OR class = {class:Nullable(String)}) > 0
    AND countIf({class:Nullable(String)} = 'none' AND class != 'none') = 0
    AND countIf({hop:Nullable(String)} IS NULL OR (class != 'none' AND class_hop = {hop:Nullable(String)})) > 0
    AND ({outcome:Nullable(String)} IS NULL
        OR argMax(outcome, (type IN ('mcp.request.completed', 'mcp.request.rejected') AND hop != 'upstream', time)) = {outcome:Nullable(String)})
    AND countIf({q:Nullable(String)} IS NULL OR positionCaseInsensitiveUTF8(message, {q:Nullable(String)}) > 0) > 0
    AND ({after_time:Nullable(DateTime64(6, 'UTC'))} IS NULL
        OR (started, key) < ({after_time:Nullable(DateTime64(6, 'UTC'))}, {after_id:Nullable(String)}))
ORDER BY started DESC, key DESC
LIMIT {row_limit:UInt32}
