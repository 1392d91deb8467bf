-- unexplained_texts: failures that no rule explains (what a text only resembles, rule `wording`, is none), or only weakly, by what
-- they say; the commonest first, each event once
SELECT
    class,
    rule,
    type,
    ifNull(http_upstream_status, http_status) AS status,
    coalesce(oauth_error, www_authenticate_error) AS code,
    mcp_error_code AS rpc_code,
    gateway_product,
    oauth_grant_type AS grant_type,
    message,
    oauth_error_description AS description,
    uniqExact((source, event_key)) AS distinct_events,
    min(events.time) AS first_seen,
    max(events.time) AS last_seen,
    anyIf(request_id, request_id IS NOT NULL) AS example_request_id,
    any(event_id) AS example_event_id
FROM ${events} AS events
WHERE events.time >= {from:DateTime64(6, 'UTC')} AND events.time < {to:DateTime64(6, 'UTC')}
    AND if(
        {weak:Bool},
        class NOT IN ('none', 'unclassified') AND confidence = 'weak' AND rule != 'wording',
        class = 'unclassified' OR rule = 'wording'
    )
GROUP BY class, rule, type, status, code, rpc_code, gateway_product, grant_type, message, description
ORDER BY distinct_events DESC, last_seen DESC
LIMIT {row_limit:UInt32}
