-- slugs_of_workspace: the servers of a workspace that calls reached, or that the registry knew, in a window
SELECT DISTINCT slug
FROM events
WHERE workspace = {workspace:String} AND slug IS NOT NULL
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
    AND (hop = 'upstream' OR server_auth IS NOT NULL)
LIMIT 1000
