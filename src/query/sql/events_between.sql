-- events_between: how many rows lie between two moments, from when to when, and what time the store has
SELECT count() AS rows, min(events.time) AS first, max(events.time) AS last, now64(3, 'UTC') AS store_time
FROM events
WHERE events.time >= {from:DateTime64(6, 'UTC')} AND events.time < {to:DateTime64(6, 'UTC')}
