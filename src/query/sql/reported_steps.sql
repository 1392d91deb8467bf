-- reported_steps: which of these types this gateway reported in a window, and when last; the request that lacks them is no exception to make
SELECT type, hop, max(time) AS last
FROM events
-- written out: choosing the prewhere costs more than reading, on a table this wide
PREWHERE type IN {types:Array(String)}
WHERE (source IN {sources:Array(String)} OR gateway_product IN {products:Array(String)})
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
GROUP BY type, hop
LIMIT 100
