-- lookup_bounds: between which moments events name these ids, one row a (kind, id)
SELECT
    kind,
    id,
    min(first_time) AS earliest,
    max(last_time) AS latest
FROM lookup
PREWHERE id IN {ids:Array(String)}
WHERE kind IN {kinds:Array(String)}
    AND day BETWEEN {first_day:Date} AND {last_day:Date}
GROUP BY kind, id
ORDER BY kind, id
LIMIT 1000
