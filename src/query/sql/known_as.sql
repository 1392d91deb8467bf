-- known_as: as what kind of id, other than a request's, a value was seen
SELECT DISTINCT kind
FROM lookup
WHERE kind IN ('client_request', 'flow', 'connection', 'trace', 'upstream_request')
    AND id = {id:String}
ORDER BY kind
LIMIT 10
