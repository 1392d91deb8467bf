-- retries_of_requests: of each event that says so, which request retries or continues one of these; first ones first
SELECT request_id
FROM events
PREWHERE caused_by IN {request_ids:Array(String)}
WHERE (workspace IN {workspaces:Array(String)} OR (workspace IS NULL AND {any_without_workspace:Bool}))
    AND (slug IN {slugs:Array(String)} OR (slug IS NULL AND {any_without_slug:Bool}))
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
    AND request_key != ''
ORDER BY time, kafka_partition, kafka_offset, kafka_index
LIMIT 1000
