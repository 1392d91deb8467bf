-- events_at: every column of the events at these times and offsets, and of others that coincide: the caller drops those
SELECT
    * EXCEPT (event_key, request_key, trace_key, span_key, duration, upstream_duration, reporter, server, client, step, derived, links, rest)
    REPLACE (toDateTime64(inserted_at, 6, 'UTC') AS inserted_at)
FROM events
-- written out: choosing the prewhere costs more than reading, on a table this wide
PREWHERE time IN {times:Array(DateTime64(6, 'UTC'))} AND kafka_offset IN {offsets:Array(Int64)}
-- true of all of them; workspace and slug lead the table's order, so that few granules are read
WHERE (workspace IN {workspaces:Array(String)} OR (workspace IS NULL AND {any_without_workspace:Bool}))
    AND (slug IN {slugs:Array(String)} OR (slug IS NULL AND {any_without_slug:Bool}))
SETTINGS asterisk_include_alias_columns = 1
