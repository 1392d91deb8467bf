-- reclassifications_of: what later rules say of rows at these offsets within an extent, the last word about each row
SELECT
    kafka_topic, ifNull(kafka_topic_id, '') AS kafka_topic_id, kafka_partition, kafka_offset, kafka_index,
    class, reason, class_hop, who_acts, rule, class_version, confidence, evidence, reclassified_at,
    toDateTime64(inserted_at, 6, 'UTC') AS overlay_inserted_at
FROM reclassifications
PREWHERE kafka_offset IN {offsets:Array(Int64)}
WHERE (workspace IN {workspaces:Array(String)} OR (workspace IS NULL AND {any_without_workspace:Bool}))
    AND (slug IN {slugs:Array(String)} OR (slug IS NULL AND {any_without_slug:Bool}))
    AND time BETWEEN {first:DateTime64(6, 'UTC')} AND {last:DateTime64(6, 'UTC')}
ORDER BY reclassifications.reclassified_at DESC, reclassifications.inserted_at DESC
LIMIT 1 BY kafka_topic, kafka_topic_id, kafka_partition, kafka_offset, kafka_index
