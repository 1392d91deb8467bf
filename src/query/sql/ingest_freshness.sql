-- ingest_freshness: the newest event and when the last one was stored, among recent events; no row when there is none
SELECT
    max(time) AS newest_time,
    toDateTime64(max(inserted_at), 6, 'UTC') AS last_inserted_at
FROM events
WHERE time >= {from:DateTime64(6, 'UTC')}
HAVING count() > 0
