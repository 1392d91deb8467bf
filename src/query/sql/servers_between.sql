-- servers_between: whose rows lie between two moments and how many of each, in the order of the table
SELECT workspace, slug, count() AS rows
FROM events
WHERE time >= {from:DateTime64(6, 'UTC')} AND time < {to:DateTime64(6, 'UTC')}
GROUP BY workspace, slug
ORDER BY workspace, slug
