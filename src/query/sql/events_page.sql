-- events_page: every row of these servers between two moments, in no order
SELECT
${event_columns}
FROM events
WHERE (workspace IN {workspaces:Array(String)} OR (workspace IS NULL AND {any_without_workspace:Bool}))
    AND (slug IN {slugs:Array(String)} OR (slug IS NULL AND {any_without_slug:Bool}))
    -- the lists above find the granules; this leaves out pairs of them that are other pages'
    AND concat(ifNull(workspace, ''), '\0', ifNull(slug, '')) IN {servers:Array(String)}
    AND events.time >= {from:DateTime64(6, 'UTC')} AND events.time < {to:DateTime64(6, 'UTC')}
