-- dead_letters: refused records, newest first, once each, with what the last replay made of them
-- The innermost query sorts positions alone: excerpts are read for the rows of the page only, however many were refused.
WITH
    concat(kafka_topic, ' ', ifNull(kafka_topic_id, ''), ' ', leftPad(toString(kafka_partition), 10, '0'), ' ',
        leftPad(toString(kafka_offset), 19, '0'), ' ', leftPad(toString(kafka_index), 10, '0')) AS row_position
SELECT
    letters.* EXCEPT (row_position),
    letters.row_position AS record_position,
    multiIf(replays.outcome = '', 'refused', replays.outcome = 'stored', 'replayed', replays.outcome) AS state,
    replays.refused_as AS replay_code,
    if(replays.outcome = '', NULL, replays.last_replayed_at) AS replayed_at
FROM
(
    SELECT
        received_at, code, field, detail, excerpt, record_bytes,
        kafka_topic, kafka_topic_id, kafka_partition, kafka_offset, kafka_index, row_position
    FROM dead_letters
    WHERE (kafka_topic, ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index, received_at, code) IN (
        SELECT kafka_topic, ifNull(kafka_topic_id, ''), kafka_partition, kafka_offset, kafka_index, received_at, code
        FROM dead_letters
        WHERE received_at >= {from:DateTime64(6, 'UTC')}
            AND received_at < {to:DateTime64(6, 'UTC')}
            AND ({code:Nullable(String)} IS NULL OR code = {code:Nullable(String)})
            AND ({topic:Nullable(String)} IS NULL OR kafka_topic = {topic:Nullable(String)})
            AND ({partition:Nullable(Int32)} IS NULL OR kafka_partition = {partition:Nullable(Int32)})
            AND ({after_time:Nullable(DateTime64(6, 'UTC'))} IS NULL
                OR (received_at, row_position)
                    < ({after_time:Nullable(DateTime64(6, 'UTC'))}, {after_id:Nullable(String)}))
        ORDER BY received_at DESC, row_position DESC
        LIMIT 1 BY row_position
        LIMIT {row_limit:UInt32})
    ORDER BY received_at DESC, row_position DESC
    LIMIT 1 BY row_position
) AS letters
LEFT JOIN
(
    SELECT
        row_position AS replayed_position,
        toString(argMax(outcome, replayed_at)) AS outcome,
        argMax(tuple(code), replayed_at).1 AS refused_as,
        max(replayed_at) AS last_replayed_at
    FROM dead_letter_replays
    WHERE received_at >= {from:DateTime64(6, 'UTC')}
        AND received_at < {to:DateTime64(6, 'UTC')}
    GROUP BY replayed_position
) AS replays ON letters.row_position = replays.replayed_position
ORDER BY letters.received_at DESC, letters.row_position DESC
