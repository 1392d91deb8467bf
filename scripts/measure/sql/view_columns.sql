-- How the columns of a materialised view's target are compared: aggregates by their own function, everything else is the key, both
-- in the target's types. Answers the list of expressions and the list of keys.
SELECT
    arrayStringConcat(groupArray(
        if(startsWith(type, 'SimpleAggregateFunction('),
            concat(extract(type, '\\((\\w+)'), '(CAST(', name, ' AS ', extract(type, ', (.+)\\)$'), ')) AS ', name),
            concat('CAST(', name, ' AS ', type, ') AS ', name))), ', '),
    arrayStringConcat(groupArrayIf(name, NOT startsWith(type, 'SimpleAggregateFunction(')), ', ')
FROM
(
    SELECT name, type FROM system.columns
    WHERE database = '${database}' AND table = '${target}' AND default_kind != 'ALIAS'
    ORDER BY position
)
FORMAT TSVRaw
