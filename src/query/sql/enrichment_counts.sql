-- enrichment_counts: events by reporter, step, origins and which members they know
-- Bits: 0 request, 1 workspace, 2 slug, 3 user, 4 connection, 5 flow, 6 trace, 7 server_auth, 8 issuer, 9 credential kind,
-- 10 can have a user, 11 a client asked for it, 12 part of a sign-in. The order is that of src/query/enrichment_rates.rs.
SELECT
    nullIf(simpleJSONExtractString(reporter, 'gateway_product'), '') AS product,
    type,
    simpleJSONExtractString(step, 'hop') AS hop,
    simpleJSONExtractRaw(derived, 'origins') AS origins,
    bitOr(toUInt16(request_key != ''), 0)
        + 2 * (workspace IS NOT NULL)
        + 4 * (slug IS NOT NULL)
        + 8 * (user_id IS NOT NULL)
        + 16 * (connection_id IS NOT NULL)
        + 32 * (simpleJSONExtractString(links, 'flow_id') != '')
        + 64 * (trace_key != toFixedString('', 16))
        + 128 * (simpleJSONExtractString(server, 'server_auth') != '')
        + 256 * (simpleJSONExtractString(server, 'oauth_issuer') != '')
        + 512 * (simpleJSONExtractString(step, 'credential_kind') != '')
        + 1024 * (simpleJSONExtractString(step, 'credential_kind') NOT IN ('service_key', 'none')
            AND NOT (simpleJSONHas(step, 'credential_sent') AND NOT simpleJSONExtractBool(step, 'credential_sent'))
            AND simpleJSONExtractString(server, 'server_auth') != 'client_credentials')
        + 2048 * (simpleJSONExtractString(step, 'initiator') IN ('', 'user', 'unknown'))
        -- of token requests only those with a code, which no other column tells
        + 4096 * (type IN ('mcp.auth.authorize', 'mcp.auth.consent', 'mcp.auth.callback')
            OR (type = 'mcp.auth.token' AND position(rest, '"oauth_grant_type":"authorization_code"') > 0)) AS known,
    count() AS events
FROM events
WHERE time >= {from:DateTime64(6, 'UTC')} AND time < {to:DateTime64(6, 'UTC')}
GROUP BY product, type, hop, origins, known
LIMIT 200000
