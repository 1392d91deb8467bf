-- views_of_events: the materialised views on `events`, with what each selects, into which table, and into which columns
SELECT
    view.name AS name,
    view.as_select AS selects,
    extract(view.create_table_query, ' TO ([^ (]+)') AS target,
    arrayStringConcat(columns.names, ', ') AS target_columns
FROM system.tables AS view
INNER JOIN
(
    SELECT table, groupArray(name) AS names
    FROM (SELECT table, concat('`', name, '`') AS name FROM system.columns WHERE database = currentDatabase() ORDER BY table, position)
    GROUP BY table
) AS columns ON columns.table = view.name
WHERE view.database = currentDatabase()
    AND view.engine = 'MaterializedView'
    AND (currentDatabase(), view.name) IN (
        SELECT dependencies.1, dependencies.2
        FROM system.tables
        ARRAY JOIN arrayZip(dependencies_database, dependencies_table) AS dependencies
        WHERE database = currentDatabase() AND name = 'events')
ORDER BY name
