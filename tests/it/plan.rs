//! Plans made by the program's own steps, to be delivered by the program's own delivery, and what must be stored of them.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use gatetrail::classify::Classifier;
use gatetrail::decode::{Limits, Payload, decode};
use gatetrail::event::{KafkaPosition, RecordTime};
use gatetrail::store::{DeadLetter, EventRows, Insert, Refusal, Span, dead_letter_rows};
use serde_json::json;

use crate::support::{Stage, event};

/// A range of offsets with its bodies.
pub struct Plan {
    pub span: Span,
    pub inserts: Vec<Insert>,
}

impl Plan {
    /// The range, where every fifth offset is a refused record. The events are of two days, so that they go into two
    /// partitions of the table.
    pub fn new(stage: &Stage, first: i64, next: i64) -> Self {
        let span = Span {
            topic: stage.topic().into(),
            topic_id: Some("topic-id-of-a-test".into()),
            partition: 0,
            first,
            next,
        };
        let received: DateTime<Utc> = gatetrail::telemetry::clock::Clock.now();
        let classifier = Classifier::embedded().unwrap();
        let mut events = EventRows::default();
        let mut letters = Vec::new();
        for offset in first..next {
            let position = KafkaPosition {
                topic: span.topic.clone(),
                topic_id: span.topic_id.clone(),
                partition: span.partition,
                offset,
                index: 0,
            };
            if is_refused(offset) {
                letters.push(DeadLetter::new(refusal(), &position, received));
                continue;
            }
            let data = json!({"request_id": format!("request {offset}"), "connection_id": format!("c {}", offset % 3)});
            let age = Duration::days(offset % 2) + Duration::seconds(5);
            let record = event(&format!("e {offset}"), "mcp.auth.credential", age.num_seconds(), &data).to_string();
            let payload = Payload { headers: &[], value: Some(record.as_bytes()), time: RecordTime(received) };
            let decoded = decode(&payload, &Limits::default()).unwrap();
            events.push(&decoded, &classifier.classify(&decoded), "test", &position, received).unwrap();
        }
        let token = format!("v1:topic-id-of-a-test:{}:0:{first}:{next}", span.topic);
        let mut inserts = Vec::new();
        if !events.is_empty() {
            let body = events.finish().unwrap();
            inserts.push(Insert { table: "events", format: "ArrowStream", body, token: token.clone() });
        }
        if !letters.is_empty() {
            let body = Bytes::from(dead_letter_rows::encode(&letters).unwrap());
            inserts.push(Insert { table: "dead_letters", format: "JSONEachRow", body, token: format!("{token}:dlq") });
        }
        Self { span, inserts }
    }

    /// A client of this server, with the stage's database.
    pub fn client(stage: &Stage, url: &str) -> clickhouse::Client {
        clickhouse::Client::default().with_url(url).with_database(&stage.name).with_validation(false)
    }
}

fn is_refused(offset: i64) -> bool {
    offset % 5 == 4
}

fn refusal() -> Refusal {
    Refusal { code: "not_json", field: None, detail: "made up".to_owned(), excerpt: "{".to_owned(), record_bytes: 1 }
}

/// Every offset below `next` is stored once, in its table, and the views hold what they select of `events`.
pub fn assert_exact(stage: &Stage, next: i64, but: &[i64]) {
    for (table, refused) in [("events", false), ("dead_letters", true)] {
        let expected: BTreeMap<i64, u64> = (0..next)
            .filter(|offset| is_refused(*offset) == refused && !but.contains(offset))
            .map(|offset| (offset, 1))
            .collect();
        assert_eq!(copies(stage, table), expected, "copies of each offset in {table}");
    }
    assert_views_exact(stage);
}

/// How many rows there are of each offset.
pub fn copies(stage: &Stage, table: &str) -> BTreeMap<i64, u64> {
    stage
        .query(&format!("SELECT kafka_offset, count() AS copies FROM {{db}}.{table} GROUP BY kafka_offset"))
        .iter()
        .map(|row| (row["kafka_offset"].as_i64().unwrap(), row["copies"].as_u64().unwrap()))
        .collect()
}

/// What the view selects of all of `events` is what its table holds, neither more nor less: it is put into a table of the
/// same kind, and both are read merged.
pub fn assert_views_exact(stage: &Stage) {
    let views = stage.query(
        "SELECT as_select AS selects, (SELECT arrayStringConcat(groupArray(name), ', ') FROM (SELECT name
            FROM system.columns WHERE database = '{db}' AND table = 'lookup_view' ORDER BY position)) AS columns
         FROM system.tables WHERE database = '{db}' AND name = 'lookup_view'",
    );
    let (selects, columns) = (views[0]["selects"].as_str().unwrap(), views[0]["columns"].as_str().unwrap());
    for statement in [
        "DROP TABLE IF EXISTS {db}.expected SYNC".to_owned(),
        "CREATE TABLE {db}.expected AS {db}.lookup".to_owned(),
        format!("INSERT INTO {{db}}.expected ({columns}) {selects}"),
    ] {
        execute(stage, &statement);
    }
    let content = |table: &str| {
        stage.query(&format!(
            "SELECT toJSONString(tuple({columns})) AS content FROM {{db}}.{table} FINAL ORDER BY content"
        ))
    };
    let held = content("lookup");
    assert!(!held.is_empty(), "the view's table is empty");
    assert_eq!(held, content("expected"));
}

/// A statement that answers nothing; `{db}` is the stage's database.
pub fn execute(stage: &Stage, sql: &str) {
    let sql = sql.replace("{db}", &stage.name);
    ureq::post(format!("{}/?async_insert=0", stage.clickhouse.trim_end_matches('/'))).send(&sql).unwrap();
}
