-- lookup_bounds: between which moments events name these ids, one row a (kind, id)
SELECT
    toString(kind) AS kind,
    transform(id_hash, arrayMap(id -> sipHash64(id), {ids:Array(String)}), {ids:Array(String)}, '') AS id,
    toDateTime64(min(first_time), 6, 'UTC') AS earliest,
    -- whole seconds are kept
    toDateTime64(max(last_time), 6, 'UTC') + toIntervalSecond(1) AS latest
FROM lookup
PREWHERE id_hash IN arrayMap(id -> sipHash64(id), {ids:Array(String)})
WHERE toString(lookup.kind) IN {kinds:Array(String)}
    AND week BETWEEN toMonday({first_day:Date}) AND {last_day:Date}
GROUP BY lookup.kind, id_hash
ORDER BY kind, id
LIMIT 1000
