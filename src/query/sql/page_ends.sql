-- page_ends: the times that part one server's rows between two moments into pages of about so many
SELECT DISTINCT time
FROM
(
    SELECT time, row_number() OVER (ORDER BY time) AS place
    FROM events
    WHERE ifNull(workspace, '') = {workspace:String} AND ifNull(slug, '') = {slug:String}
        AND (workspace = {workspace:String} OR workspace IS NULL) AND (slug = {slug:String} OR slug IS NULL)
        AND time >= {from:DateTime64(6, 'UTC')} AND time < {to:DateTime64(6, 'UTC')}
)
WHERE place % {page_rows:UInt32} = 0
ORDER BY time
