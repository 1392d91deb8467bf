-- Rows in which a materialised view's target differs from what the view's own SELECT makes of `events` as it is now: those only
-- in the target, and those only in the recomputation. Both are aggregated by the target's key, since a target keeps several rows
-- a key until its parts are merged.
SELECT
    (SELECT count() FROM (
        SELECT ${columns} FROM ${database}.${target} GROUP BY ${keys}
        EXCEPT DISTINCT
        SELECT ${columns} FROM (${select}) GROUP BY ${keys})),
    (SELECT count() FROM (
        SELECT ${columns} FROM (${select}) GROUP BY ${keys}
        EXCEPT DISTINCT
        SELECT ${columns} FROM ${database}.${target} GROUP BY ${keys}))
