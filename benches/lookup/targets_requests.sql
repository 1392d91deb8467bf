-- a sample of the requests, each once
SELECT DISTINCT assumeNotNull(request_id) AS id FROM events WHERE request_key != '' AND cityHash64(request_key, 'target') % {every:UInt64} = 0
