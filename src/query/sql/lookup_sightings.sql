-- lookup_sightings: as what, where and between which moments events name these ids; several rows of the same are to be united
SELECT id_hash, kind, workspace, slug, connection, first_time, last_time
FROM lookup
-- written out, and neither grouped nor sorted here: each of these costs more than reading
PREWHERE id_hash IN {id_hashes:Array(UInt64)}
WHERE week BETWEEN {first_week:Date} AND {last_week:Date}
LIMIT 10000
