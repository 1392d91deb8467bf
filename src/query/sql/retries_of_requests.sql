-- retries_of_requests: ids of the requests that retry or continue one of these, first ones first
SELECT request_id AS id
FROM events
WHERE caused_by IN {request_ids:Array(String)}
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
    AND request_id IS NOT NULL
GROUP BY request_id
ORDER BY min(time), request_id
LIMIT {row_limit:UInt32}
