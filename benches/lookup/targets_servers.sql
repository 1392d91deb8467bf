-- a sample of events with a server, at least as many as are wanted: servers with many events come often. The columns are named by their
-- table, since a column without NULL stands under the same name.
SELECT assumeNotNull(events.workspace) AS workspace, assumeNotNull(events.slug) AS slug FROM events WHERE events.workspace IS NOT NULL AND events.slug IS NOT NULL AND cityHash64(kafka_offset, kafka_partition, 'target') % 64 = 0
