-- ClickHouse's own Kafka engine on the topic of events. It hands on whole records and the view takes them apart a block at a time:
-- with `JSONEachRow` and a column a member it would build all those columns for each single message, which was three times as
-- dear here, and ten times with LowCardinality columns.
CREATE TABLE ${database}.queue (record String)
ENGINE = Kafka
SETTINGS
    kafka_broker_list = '${brokers}',
    kafka_topic_list = '${topic}',
    kafka_group_name = '${group}',
    kafka_format = 'RawBLOB',
    kafka_num_consumers = 2,
    kafka_thread_per_consumer = ${thread_per_consumer},
    kafka_max_block_size = ${block_rows},
    kafka_flush_interval_ms = ${flush_ms}
