-- reported_steps: which of these types this gateway reported for other requests in a window
SELECT DISTINCT type, hop
FROM events
WHERE type IN {types:Array(String)}
    AND (source IN {sources:Array(String)} OR gateway_product IN {products:Array(String)})
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
    AND (request_id IS NULL OR request_id != {request_id:String})
LIMIT 100
