-- Rows in which a materialised view's target differs from `computed_anew`, into which the view's own SELECT went of `events` as it
-- is now: those only in the target, and those only in the recomputation. Aggregates are merged by FINAL, a table partition at
-- a time.
SELECT
    (SELECT count() FROM (
        SELECT ${columns} FROM ${database}.${target} FINAL
        EXCEPT DISTINCT
        SELECT ${columns} FROM ${database}.computed_anew FINAL)),
    (SELECT count() FROM (
        SELECT ${columns} FROM ${database}.computed_anew FINAL
        EXCEPT DISTINCT
        SELECT ${columns} FROM ${database}.${target} FINAL))
SETTINGS do_not_merge_across_partitions_select_final = 1
