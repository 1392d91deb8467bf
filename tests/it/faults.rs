//! Delivery against a real ClickHouse when everything fails that can: in the end each row is stored once.

use std::time::Duration;

use gatetrail::store::delivery::{Delivered, DeliveryEvent, Patience, deliver_within};
use gatetrail::store::writer::insert_once;
use gatetrail::store::{Insert, Remedy, StoreError, rows_between};
use serde_json::json;

use crate::fault_proxy::{Fault, FaultProxy};
use crate::plan::{Plan, assert_exact, assert_views_exact, copies, execute};
use crate::support::{Stage, event, wait_until};

const PATIENCE: Patience = Patience {
    insert: Duration::from_millis(1_500),
    read_back: Duration::from_secs(20),
    longest_wait: Duration::from_millis(20),
};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Delivers the plan through this server: what was delivered and what was told.
fn deliver(
    stage: &Stage,
    url: &str,
    plan: &Plan,
    replayed: bool,
) -> (Result<Delivered, StoreError>, Vec<DeliveryEvent>) {
    let client = Plan::client(stage, url);
    let mut told = Vec::new();
    let mut listen = |event: &DeliveryEvent| told.push(event.clone());
    let delivered = run(deliver_within(&client, &plan.span, &plan.inserts, replayed, PATIENCE, &mut listen));
    (delivered, told)
}

fn remedies(told: &[DeliveryEvent]) -> Vec<Remedy> {
    let remedy_of = |event: &DeliveryEvent| match event {
        DeliveryEvent::Failed { remedy, .. } => Some(*remedy),
        _ => None,
    };
    told.iter().filter_map(remedy_of).collect()
}

#[test]
fn whatever_the_network_does_each_row_is_stored_once() {
    let stage = Stage::new("faults_network");
    let faults = [
        Fault::ResetBeforeBody,
        Fault::ResetInBody,
        Fault::ResetBeforeAnswer,
        Fault::CutAnswer,
        Fault::SlowAnswer(PATIENCE.insert * 2),
        Fault::Late(Duration::from_millis(500)),
        Fault::bad_gateway(),
        Fault::exception_in_a_200(236),
        Fault::tagged_exception_in_a_200(236),
    ];
    let proxy = FaultProxy::before(&stage.clickhouse, []);
    let mut next = 0;
    for fault in &faults {
        // Of the insert of events, of that of dead letters, and of both and the attempt after.
        for script in [
            vec![fault.clone()],
            vec![Fault::Pass, fault.clone()],
            vec![fault.clone(), fault.clone(), Fault::Pass, fault.clone()],
        ] {
            let plan = Plan::new(&stage, next, next + 10);
            next += 10;
            let failures = script.iter().filter(|fault| !matches!(fault, Fault::Pass)).count();
            proxy.then(script);
            let (delivered, told) = deliver(&stage, &proxy.url, &plan, false);
            let delivered = delivered.unwrap();
            assert_eq!((delivered.rows_events, delivered.rows_dead_letters), (8, 2), "{fault:?}");
            assert!(told.iter().any(|event| matches!(event, DeliveryEvent::Recovered { .. })), "{fault:?}: {told:?}");
            assert!(remedies(&told).len() >= failures.min(2), "{fault:?}: {told:?}");
            proxy.clear();
        }
    }
    let held_back = proxy.held_back();
    assert!(held_back >= 3);
    wait_until("what was held back has arrived", || proxy.late() == held_back, || proxy.late().to_string());
    assert_exact(&stage, next, &[]);
}

#[test]
fn every_class_of_error_is_told_and_ends_well() {
    let stage = Stage::new("faults_classes");
    let proxy = FaultProxy::before(&stage.clickhouse, []);
    let classes = [
        (210, "NETWORK_ERROR", Remedy::Retry),
        (999, "KEEPER_EXCEPTION", Remedy::Retry),
        (1001, "STD_EXCEPTION", Remedy::Retry),
        (241, "MEMORY_LIMIT_EXCEEDED", Remedy::SlowDown),
        (252, "TOO_MANY_PARTS", Remedy::SlowDown),
        (216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", Remedy::AlreadyRunning),
        (60, "UNKNOWN_TABLE", Remedy::Halt),
        (497, "ACCESS_DENIED", Remedy::Halt),
        (516, "AUTHENTICATION_FAILED", Remedy::Halt),
        (243, "NOT_ENOUGH_SPACE", Remedy::Halt),
        (4_711, "NEVER_HEARD_OF", Remedy::Halt),
        (117, "INCORRECT_DATA", Remedy::Bisect),
    ];
    let mut next = 0;
    for (code, name, remedy) in classes {
        let plan = Plan::new(&stage, next, next + 5);
        next += 5;
        proxy.then([Fault::refusal(code, name)]);
        let (delivered, told) = deliver(&stage, &proxy.url, &plan, false);
        assert_eq!(delivered.unwrap().repaired_rows, 0, "{name}");
        assert_eq!(remedies(&told), [remedy], "{name}");
        let told_code = told.iter().find_map(|event| match event {
            DeliveryEvent::Failed { server_code, .. } => *server_code,
            _ => None,
        });
        assert_eq!(told_code, Some(code), "{told:?}");
    }
    assert_exact(&stage, next, &[]);
}

#[test]
fn without_a_fault_there_is_one_insert_a_table_and_no_read_back() {
    let stage = Stage::new("faults_none");
    let proxy = FaultProxy::before(&stage.clickhouse, []);
    let (delivered, told) = deliver(&stage, &proxy.url, &Plan::new(&stage, 0, 5), false);
    assert_eq!(delivered.unwrap(), Delivered { rows_events: 4, rows_dead_letters: 1, attempts: 2, repaired_rows: 0 });
    assert_eq!((proxy.inserts(), proxy.requests()), (2, 2));
    assert_eq!(told.len(), 6, "begun, sent and confirmed, twice: {told:?}");
    assert_exact(&stage, 5, &[]);
}

#[test]
fn a_replay_inserts_what_is_missing_and_nothing_else() {
    let stage = Stage::new("faults_replay");
    let client = Plan::client(&stage, &stage.clickhouse);
    let replay = |plan: &Plan| deliver(&stage, &stage.clickhouse, plan, true).0.unwrap();
    // Nothing is there.
    let plan = Plan::new(&stage, 0, 10);
    assert_eq!(replay(&plan).attempts, 1);
    // Everything is.
    assert_eq!(replay(&plan), Delivered { rows_events: 8, rows_dead_letters: 2, attempts: 0, repaired_rows: 0 });
    // A late copy of an earlier attempt comes now.
    for insert in &plan.inserts {
        run(insert_once(&client, insert)).unwrap();
    }
    // A part is there, from another range's plan.
    let part = Plan::new(&stage, 10, 13);
    deliver(&stage, &stage.clickhouse, &part, false).0.unwrap();
    assert_eq!(replay(&Plan::new(&stage, 10, 20)).repaired_rows, 0);
    // What was an event is now refused: it stays what it is.
    let letters = Plan::new(&stage, 24, 25);
    deliver(&stage, &stage.clickhouse, &letters, false).0.unwrap();
    let body = String::from_utf8(letters.inserts[0].body.to_vec()).unwrap();
    let body = body.replace("\"kafka_offset\":24,", "\"kafka_offset\":18,");
    let refused = Insert { body: body.into(), ..letters.inserts[0].clone() };
    let again = Plan { span: Plan::new(&stage, 18, 19).span, inserts: vec![refused] };
    assert_eq!(replay(&again).attempts, 0);
    let plan = Plan::new(&stage, 20, 24);
    deliver(&stage, &stage.clickhouse, &plan, false).0.unwrap();
    assert_exact(&stage, 25, &[]);
}

#[test]
fn a_token_that_clickhouse_has_forgotten_is_no_second_copy() {
    let stage = Stage::new("faults_forgotten");
    for table in ["events", "dead_letters"] {
        execute(&stage, &format!("ALTER TABLE {{db}}.{table} MODIFY SETTING non_replicated_deduplication_window = 2"));
    }
    let plan = Plan::new(&stage, 0, 10);
    deliver(&stage, &stage.clickhouse, &plan, false).0.unwrap();
    for first in [10, 20, 30, 40] {
        deliver(&stage, &stage.clickhouse, &Plan::new(&stage, first, first + 10), false).0.unwrap();
    }
    let (delivered, _) = deliver(&stage, &stage.clickhouse, &plan, true);
    assert_eq!(delivered.unwrap().attempts, 0);
    assert_exact(&stage, 50, &[]);
}

#[test]
fn a_token_that_is_taken_without_its_rows_is_repaired() {
    let stage = Stage::new("faults_phantom");
    let client = Plan::client(&stage, &stage.clickhouse);
    let plan = Plan::new(&stage, 0, 10);
    // The tokens are taken by rows of another partition, which stand for a part that was never placed.
    for insert in &Plan::new(&stage, 10, 20).inserts {
        let token = insert.token.replace(":10:20", ":0:10");
        run(insert_once(&client, &Insert { token, ..insert.clone() })).unwrap();
    }
    let (delivered, told) = deliver(&stage, &stage.clickhouse, &plan, true);
    assert_eq!(delivered.unwrap().repaired_rows, 10);
    let repaired: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            DeliveryEvent::Repaired { table, rows } => Some((*table, *rows)),
            _ => None,
        })
        .collect();
    assert_eq!(repaired, [("events", 8), ("dead_letters", 2)]);
    assert_exact(&stage, 20, &[]);
}

#[test]
fn views_are_filled_again_in_doubt() {
    let stage = Stage::new("faults_views");
    let plan = Plan::new(&stage, 0, 10);
    deliver(&stage, &stage.clickhouse, &plan, false).0.unwrap();
    execute(&stage, "TRUNCATE TABLE {db}.lookup");
    let (delivered, _) = deliver(&stage, &stage.clickhouse, &plan, true);
    assert_eq!(delivered.unwrap().attempts, 0);
    assert_exact(&stage, 10, &[]);
}

#[test]
fn a_row_that_cannot_be_taken_is_found_by_halving() {
    let stage = Stage::new("faults_poison");
    let mut plan = Plan::new(&stage, 0, 40);
    let letters = plan.inserts.pop().unwrap();
    let body = String::from_utf8(letters.body.to_vec()).unwrap();
    let is_at_fault = |line: &&str| line.contains("\"kafka_offset\":19,");
    let good = *body.lines().collect::<Vec<_>>().iter().find(|line| is_at_fault(line)).unwrap();
    let broken = body.replace(good, &good.replace("\"record_bytes\":1", "\"record_bytes\":\"many\""));
    assert_ne!(body, broken);
    plan.inserts.push(Insert { body: broken.into(), ..letters });
    let mut at_fault = Vec::new();
    let mut left = vec![(plan, false)];
    while let Some((plan, replayed)) = left.pop() {
        let (delivered, told) = deliver(&stage, &stage.clickhouse, &plan, replayed);
        let Err(error) = delivered else { continue };
        assert_eq!(error.remedy(), Remedy::Bisect, "{error:?} {told:?}");
        let Some((lower, upper)) = plan.span.halves() else {
            at_fault.push(plan.span.first);
            continue;
        };
        for span in [upper, lower] {
            let part = |insert: &Insert| rows_between(insert, span.first, span.next).unwrap();
            let inserts = plan.inserts.iter().filter_map(part).collect();
            left.push((Plan { span, inserts }, true));
        }
    }
    assert_eq!(at_fault, [19]);
    assert_exact(&stage, 40, &[19]);
}

#[test]
fn consume_stores_each_record_once_through_a_network_that_fails() {
    let stage = Stage::new("faults_consume");
    let every_other = [
        Fault::ResetBeforeAnswer,
        Fault::ResetInBody,
        Fault::refusal(252, "TOO_MANY_PARTS"),
        Fault::bad_gateway(),
        Fault::tagged_exception_in_a_200(236),
        Fault::Late(Duration::from_secs(1)),
        Fault::CutAnswer,
        Fault::refusal(216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING"),
        Fault::ResetBeforeBody,
        Fault::ResetBeforeAnswer,
    ];
    let proxy = FaultProxy::before(
        &stage.clickhouse,
        every_other.into_iter().flat_map(|fault| [fault, Fault::Pass, Fault::Pass]),
    );
    let records: Vec<Vec<u8>> = (0..200)
        .map(|number| match number % 10 {
            0 => b"{not json".to_vec(),
            _ => {
                let data = json!({"request_id": format!("r-{number}")});
                event(&format!("e-{number}"), "mcp.auth.credential", 60, &data).to_string().into_bytes()
            }
        })
        .collect();
    let keys: Vec<String> = (0..records.len()).map(|number| number.to_string()).collect();
    let records: Vec<(&str, &[u8])> =
        keys.iter().zip(&records).map(|(key, record)| (key.as_str(), record.as_slice())).collect();
    let settings = [("GATETRAIL_CLICKHOUSE_URL", proxy.url.as_str()), ("GATETRAIL_INGEST_FLUSH_ROWS", "10")];
    let consume = stage.start(&["consume"], &settings);
    stage.produce(&records);
    wait_until(
        "every fault has happened",
        || proxy.left() == 0,
        || format!("{}\n{}", proxy.left(), consume.log_text()),
    );
    stage.wait_for_rows(180, 20, &consume);
    wait_until("what was held back has arrived", || proxy.late() == proxy.held_back(), || consume.log_text());
    assert_eq!(consume.stop(), 0);
    let identities = "SELECT count() AS rows, uniqExact(kafka_partition, kafka_offset, kafka_index) AS once FROM
        (SELECT kafka_partition, kafka_offset, kafka_index FROM {db}.events
         UNION ALL SELECT kafka_partition, kafka_offset, kafka_index FROM {db}.dead_letters)";
    assert_eq!(stage.query(identities)[0], json!({"rows": 200, "once": 200}));
    assert_eq!(copies(&stage, "events").values().sum::<u64>(), 180);
    assert_views_exact(&stage);
}
