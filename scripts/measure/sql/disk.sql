-- What a table occupies: bytes, parts, rows.
SELECT sum(bytes_on_disk), count(), sum(rows) FROM system.parts
WHERE active AND database = '${database}' AND table = '${table}'
