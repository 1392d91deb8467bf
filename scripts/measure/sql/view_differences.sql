-- Rows in which a materialised view's target differs from what the view's own SELECT makes of `events` as it is now: those only
-- in the target, and those only in the recomputation. The target's aggregates are merged by FINAL, a table partition at a time.
SELECT
    (SELECT count() FROM (
        SELECT ${columns} FROM ${database}.${target} FINAL
        EXCEPT DISTINCT
        SELECT ${columns} FROM (${select}))),
    (SELECT count() FROM (
        SELECT ${columns} FROM (${select})
        EXCEPT DISTINCT
        SELECT ${columns} FROM ${database}.${target} FINAL))
SETTINGS do_not_merge_across_partitions_select_final = 1
