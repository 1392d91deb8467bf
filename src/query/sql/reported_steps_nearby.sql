-- reported_steps_nearby: which of these types this gateway reported of the same servers in a window, and when last
SELECT type, hop, max(time) AS last
FROM events
PREWHERE type IN {types:Array(String)}
WHERE workspace IN {workspaces:Array(String)} AND slug IN {slugs:Array(String)}
    AND (source IN {sources:Array(String)} OR gateway_product IN {products:Array(String)})
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
GROUP BY type, hop
LIMIT 100
