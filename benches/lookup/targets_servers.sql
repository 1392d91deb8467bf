-- a sample of events with a server, at least as many as are wanted: servers with many events come often
SELECT assumeNotNull(workspace) AS workspace, assumeNotNull(slug) AS slug FROM events WHERE workspace IS NOT NULL AND slug IS NOT NULL AND cityHash64(kafka_offset, kafka_partition, 'target') % 64 = 0
