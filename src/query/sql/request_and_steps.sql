-- request_and_steps: the events of a request, and in the same read the steps about its connections and, while it ran, what
-- else was done there for no named request; in no order
SELECT
${event_columns}
FROM events
-- Written out: choosing the prewhere costs more than reading. The end of the window stands below only: written twice it would be
-- computed once, and no longer be seen by the index.
PREWHERE request_key = unhex({request_key:String})
    OR ((type IN {step_types:Array(String)}
            OR (request_key = '' AND time >= {own_first:DateTime64(6, 'UTC')}))
        AND toUInt32(sipHash64(connection_id)) IN {connections:Array(UInt32)})
WHERE (workspace IN {workspaces:Array(String)} OR workspace IS NULL)
    AND (slug IN {slugs:Array(String)} OR slug IS NULL)
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
LIMIT {row_limit:UInt32}
