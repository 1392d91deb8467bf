-- remembered_facts: what events say of these sign-ins and connections, each different combination once, in no order
SELECT DISTINCT
    nullIf(simpleJSONExtractString(links, 'flow_id'), '') AS flow,
    connection_id AS connection,
    -- of a connection alone, its many requests say nothing
    if(simpleJSONExtractString(links, 'flow_id') IN {flow_ids:Array(String)}, hex(request_key), '') AS request_hex,
    workspace,
    slug,
    user_id,
    nullIf(simpleJSONExtractString(server, 'oauth_issuer'), '') AS oauth_issuer,
    nullIf(simpleJSONExtractString(server, 'server_auth'), '') AS server_auth,
    simpleJSONExtractRaw(derived, 'origins') AS origins
FROM events
PREWHERE connection_id IN {connection_ids:Array(String)} OR simpleJSONExtractString(links, 'flow_id') IN {flow_ids:Array(String)}
WHERE (workspace IN {workspaces:Array(String)} OR (workspace IS NULL AND {any_without_workspace:Bool}))
    AND (slug IN {slugs:Array(String)} OR (slug IS NULL AND {any_without_slug:Bool}))
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
LIMIT {row_limit:UInt32}
