-- known_as: as what kind of id, other than a request's, a value was seen
SELECT DISTINCT toString(lookup.kind) AS kind
FROM lookup
WHERE lookup.kind IN ('client_request', 'flow', 'connection', 'upstream_request')
    AND id_hash = sipHash64({id:String})
ORDER BY kind
LIMIT 10
