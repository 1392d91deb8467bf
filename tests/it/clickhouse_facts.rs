//! What exactly-once rests on in ClickHouse, tried on the engine at hand: an upgrade that changes a fact fails here.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use gatetrail::store::remedy::KNOWN;
use gatetrail::store::writer::insert_once;
use gatetrail::store::{Insert, Remedy, StoreError};

use crate::plan::Plan;
use crate::support::{Stage, wait_until};

/// Sends a statement with settings; ClickHouse's number of the error when it refuses.
fn execute(stage: &Stage, sql: &str, settings: &[(&str, &str)]) -> Result<(), u32> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.post(stage.clickhouse.trim_end_matches('/')).query("database", &stage.name);
    for (name, value) in [("async_insert", "0"), ("wait_end_of_query", "1")].iter().chain(settings) {
        request = request.query(*name, *value);
    }
    let answer = request.send(&sql.replace("{db}", &stage.name)).unwrap();
    let code = answer.headers().get("X-ClickHouse-Exception-Code").map(|code| code.to_str().unwrap().parse().unwrap());
    code.map_or(Ok(()), Err)
}

/// A stage with a table `t (day Date, n Int64)` whose partitions are days and whose window is so large.
fn stage_with_table(test: &str, window: u32) -> Stage {
    let stage = Stage::bare(test);
    stage.query("SELECT 1");
    let server = stage.clickhouse.trim_end_matches('/');
    ureq::post(server).send(&format!("CREATE DATABASE {}", stage.name)).unwrap();
    let table = format!(
        "CREATE TABLE {{db}}.t (day Date, n Int64) ENGINE = MergeTree PARTITION BY day ORDER BY n
         SETTINGS non_replicated_deduplication_window = {window}"
    );
    assert_eq!(execute(&stage, &table, &[]), Ok(()));
    stage
}

fn insert(stage: &Stage, values: &str, token: &str) -> Result<(), u32> {
    execute(stage, &format!("INSERT INTO {{db}}.t VALUES {values}"), &[("insert_deduplication_token", token)])
}

fn rows(stage: &Stage, table: &str) -> u64 {
    stage.count(&format!("SELECT count() FROM {{db}}.{table}"))
}

#[test]
fn a_window_of_0_ignores_tokens_in_silence() {
    let stage = stage_with_table("facts_window", 0);
    for _ in 0..2 {
        assert_eq!(insert(&stage, "('2026-01-01', 1)", "token"), Ok(()));
    }
    assert_eq!(rows(&stage, "t"), 2);
}

#[test]
fn a_token_counts_for_each_partition_of_the_table_and_not_for_the_content() {
    let stage = stage_with_table("facts_token", 10);
    assert_eq!(insert(&stage, "('2026-01-01', 1)", "token"), Ok(()));
    assert_eq!(insert(&stage, "('2026-01-01', 2)", "token"), Ok(()));
    assert_eq!(rows(&stage, "t"), 1, "other rows under the same token are dropped");
    assert_eq!(insert(&stage, "('2026-01-01', 1), ('2026-01-02', 2)", "token"), Ok(()));
    assert_eq!(rows(&stage, "t"), 2, "what is of a partition in which the token is new is stored");
    assert_eq!(insert(&stage, "('2026-01-01', 1)", "another token"), Ok(()));
    assert_eq!(rows(&stage, "t"), 3, "the same rows under another token are stored again");
}

#[test]
fn a_token_is_forgotten_after_as_many_others_as_the_window_has() {
    let stage = stage_with_table("facts_forgotten", 2);
    for token in ["first", "second", "third", "first"] {
        assert_eq!(insert(&stage, "('2026-01-01', 1)", token), Ok(()));
    }
    assert_eq!(rows(&stage, "t"), 4);
}

#[test]
fn a_retry_after_a_view_that_failed_fills_the_view_and_not_the_table() {
    let stage = stage_with_table("facts_view", 10);
    for statement in [
        "CREATE TABLE {db}.broken (n Int64) ENGINE = MergeTree ORDER BY n",
        "CREATE TABLE {db}.v (n Int64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 10",
        "CREATE MATERIALIZED VIEW {db}.view TO {db}.v AS
         SELECT n FROM {db}.t WHERE throwIf((SELECT count() FROM {db}.broken) > 0) = 0",
        "INSERT INTO {db}.broken VALUES (1)",
    ] {
        assert_eq!(execute(&stage, statement, &[]), Ok(()), "{statement}");
    }
    assert_eq!(insert(&stage, "('2026-01-01', 1)", "token"), Err(395));
    assert_eq!((rows(&stage, "t"), rows(&stage, "v")), (1, 0), "the table has what the view lacks");
    assert_eq!(execute(&stage, "TRUNCATE TABLE {db}.broken", &[]), Ok(()));
    for _ in 0..2 {
        assert_eq!(insert(&stage, "('2026-01-01', 1)", "token"), Ok(()));
        assert_eq!((rows(&stage, "t"), rows(&stage, "v")), (1, 1));
    }
}

#[test]
fn defaults_are_not_those_that_inserts_need() {
    let stage = Stage::bare("facts_defaults");
    let setting = |name: &str| {
        let found = stage.query(&format!("SELECT value FROM system.settings WHERE name = '{name}'"));
        found.first().map(|row| row["value"].as_str().unwrap().to_owned())
    };
    // The first two are why every insert sends all its settings.
    assert_eq!(setting("async_insert").as_deref(), Some("1"));
    assert_eq!(setting("input_format_parallel_parsing").as_deref(), Some("1"));
    // This one goes over `insert_deduplicate`, and servers before 26.2 refuse it: it has to stay as it is.
    assert_eq!(setting("deduplicate_insert").as_deref(), Some("enable"));
    assert_eq!(setting("deduplicate_blocks_in_dependent_materialized_views").as_deref(), Some("1"));
}

#[test]
fn dead_letters_of_tens_of_megabytes_are_one_block() {
    let stage = Stage::new("facts_block");
    let client = Plan::client(&stage, &stage.clickhouse);
    let letter = &Plan::new(&stage, 4, 5).inserts[0];
    let line = std::str::from_utf8(&letter.body).unwrap();
    let detail = "d".repeat(10_000);
    let body: String = (0..3_000)
        .map(|offset| {
            line.replace("\"kafka_offset\":4,", &format!("\"kafka_offset\":{offset},")).replace("made up", &detail)
        })
        .collect();
    let insert = Insert { body: body.into(), ..letter.clone() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..2 {
        runtime.block_on(insert_once(&client, &insert)).unwrap();
        let parts = "SELECT count() FROM system.parts WHERE database = '{db}' AND table = 'dead_letters' AND active";
        assert_eq!((rows(&stage, "dead_letters"), stage.count(parts)), (3_000, 1));
    }
}

#[test]
fn an_id_is_refused_while_its_query_runs_and_taken_again_afterwards() {
    let stage = Stage::new("facts_query_id");
    let client = Plan::client(&stage, &stage.clickhouse);
    let insert = &Plan::new(&stage, 0, 1).inserts[0];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let running = "SELECT count() FROM system.processes WHERE query_id = '{id}'".replace("{id}", &insert.token);
    std::thread::scope(|scope| {
        let endless = "SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1";
        let first = scope.spawn(|| execute(&stage, endless, &[("query_id", &insert.token)]));
        wait_until("the query runs", || stage.count(&running) == 1, String::new);
        let refused = runtime.block_on(insert_once(&client, insert)).unwrap_err();
        assert_eq!((refused.server_code(), refused.remedy()), (Some(216), Remedy::AlreadyRunning));
        assert_eq!(first.join().unwrap(), Ok(()));
    });
    for _ in 0..2 {
        runtime.block_on(insert_once(&client, insert)).unwrap();
    }
    assert_eq!(rows(&stage, "events"), 1);
}

#[test]
fn errors_have_the_numbers_that_the_table_of_remedies_has() {
    let stage = Stage::bare("facts_codes");
    for known in KNOWN {
        let name = &stage.query(&format!("SELECT errorCodeToName(toUInt32({})) AS name", known.code))[0]["name"];
        assert_eq!(name, known.name, "{}", known.code);
    }
}

#[test]
fn statements_are_refused_with_the_errors_that_they_provoke() {
    let stage = stage_with_table("facts_errors", 10);
    for statement in [
        "CREATE TABLE {db}.full (n Int64) ENGINE = MergeTree ORDER BY n SETTINGS parts_to_throw_insert = 1",
        "INSERT INTO {db}.full VALUES (1)",
        "CREATE TABLE {db}.checked (n Int64, CONSTRAINT positive CHECK n > 0) ENGINE = MergeTree ORDER BY n",
        "CREATE TABLE {db}.kinds (e Enum8('a' = 1), d DateTime64(6), u UUID, b Bool, f FixedString(2)) ENGINE = Memory",
    ] {
        assert_eq!(execute(&stage, statement, &[]), Ok(()), "{statement}");
    }
    let json = ("input_format_null_as_default", "0");
    type Case<'c> = (&'c str, &'c [(&'c str, &'c str)], u32);
    let cases: &[Case<'_>] = &[
        ("INSERT INTO {db}.absent VALUES (1)", &[], 60),
        ("INSERT INTO {db}_absent.t VALUES (1)", &[], 81),
        ("INSERT INTO {db}.t (absent) VALUES (1)", &[], 16),
        ("INSERT INTO {db}.t SELECT absent FROM {db}.t", &[], 47),
        ("INSERT INTO {db}.t FORMAT Unheard\n1", &[], 73),
        ("INSERT INTO {db}.t VALUES (1)", &[("unheard", "1")], 115),
        ("INSERT INTO {db}.t VALUES ('2026-01-01', 1)", &[("readonly", "1")], 164),
        ("INSERT INTO {db}.t VALUES ('2026-01-01', 1)", &[("user", "nobody"), ("password", "wrong")], 516),
        ("CREATE USER {db}_user", &[], 497),
        ("SELECT groupArray(number) FROM numbers(10000000)", &[("max_memory_usage", "1000000")], 241),
        ("SELECT sleepEachRow(1) FROM numbers(10)", &[("max_execution_time", "1"), ("max_block_size", "1")], 159),
        ("INSERT INTO {db}.full VALUES (2)", &[], 252),
        ("INSERT INTO {db}.checked VALUES (-1)", &[], 469),
        ("INSERT INTO {db}.t FORMAT JSONEachRow\n{\"n\":\"many\"}", &[json], 27),
        ("INSERT INTO {db}.t FORMAT JSONEachRow\n{\"n\":1", &[json], 33),
        ("INSERT INTO {db}.t FORMAT ArrowStream\nnothing of the kind", &[], 117),
        ("INSERT INTO {db}.kinds FORMAT JSONEachRow\n{\"e\":\"b\"}", &[json], 691),
        ("INSERT INTO {db}.kinds FORMAT JSONEachRow\n{\"d\":\"never\"}", &[json], 41),
        ("INSERT INTO {db}.kinds FORMAT JSONEachRow\n{\"u\":\"never\"}", &[json], 376),
        ("INSERT INTO {db}.kinds FORMAT JSONEachRow\n{\"b\":\"never\"}", &[json], 467),
        ("INSERT INTO {db}.kinds FORMAT JSONEachRow\n{\"f\":\"longer\"}", &[json], 131),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(statement, settings, code)| (statement, execute(&stage, statement, settings), *code))
        .filter(|(_, refused, code)| *refused != Err(*code))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (statement, _, code) in cases {
        assert!(KNOWN.iter().any(|known| known.code == *code), "{statement}: {code} has no row");
    }
}

#[test]
fn a_column_that_the_table_lacks_is_refused_and_not_left_out() {
    let stage = stage_with_table("facts_column", 10);
    let client = Plan::client(&stage, &stage.clickhouse);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let column = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("n", column(1)), ("unheard", column(2))]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let stream = writer.into_inner().unwrap();
    for (format, body) in [("ArrowStream", stream), ("JSONEachRow", b"{\"n\":1,\"unheard\":2}\n".to_vec())] {
        let insert = Insert { table: "t", format, body: body.into(), token: format.to_owned() };
        let refused = runtime.block_on(insert_once(&client, &insert)).unwrap_err();
        assert_eq!((refused.server_code(), refused.remedy()), (Some(16), Remedy::Halt), "{format}");
    }
    assert_eq!(rows(&stage, "t"), 0);
}

#[test]
fn nobody_at_the_address_is_unreachable() {
    let stage = Stage::bare("facts_nobody");
    let nowhere = format!("http://127.0.0.1:{}", crate::support::free_port());
    let client = Plan::client(&stage, &nowhere);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let insert = &Plan::new(&stage, 0, 1).inserts[0];
    let answer =
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), insert_once(&client, insert)).await });
    assert!(matches!(answer, Ok(Err(StoreError::Unreachable(_)))), "{answer:?}");
}
