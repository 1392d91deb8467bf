//! Partitions that go and come back, at one and the same member.

use std::time::Duration;

use serde_json::json;

use crate::fault_proxy::{Fault, FaultProxy};
use crate::support::{Stage, event, wait_until};

/// One event for each number, spread over the partitions.
fn produce(stage: &Stage, numbers: std::ops::Range<u32>) {
    let records: Vec<(String, Vec<u8>)> = numbers
        .map(|number| {
            let id = format!("e-{number}");
            let record = event(&id, "mcp.auth.credential", 5, &json!({"request_id": id}));
            (id, record.to_string().into_bytes())
        })
        .collect();
    let records: Vec<(&str, &[u8])> = records.iter().map(|(key, record)| (key.as_str(), record.as_slice())).collect();
    stage.produce(&records);
}

#[test]
fn a_partition_that_went_while_it_was_paused_is_read_when_it_comes_back() {
    let stage = Stage::new("comes_back");
    let proxy = FaultProxy::before(&stage.clickhouse, []);
    let through_proxy = [("GATETRAIL_CLICKHOUSE_URL", proxy.url.as_str())];
    let stays = stage.start(&["consume"], &through_proxy);
    wait_until("it has the partitions", || stays.has_partitions(), || stays.log_text());

    // Both partitions wait for ClickHouse's answer while one of them is called back: until then it is paused.
    proxy.then([Fault::SlowAnswer(Duration::from_secs(3)), Fault::SlowAnswer(Duration::from_secs(3))]);
    produce(&stage, 0..40);
    wait_until("both wait for an answer", || proxy.left() == 0, || stays.log_text());
    let comes = stage.start(&["consume"], &[]);
    wait_until("the other one has a partition", || comes.has_partitions(), || comes.log_text());
    comes.stop_well();

    produce(&stage, 40..80);
    stage.wait_for_rows(80, 0, &stays);
    stays.stop_well();
}

/// Kafka itself leaves the partition without owner: the member that was to ask for the second half of the rebalance is
/// another process by then, which takes its former self's place without any.
#[test]
fn a_partition_on_its_way_when_a_static_member_dies_is_read_again() {
    let stage = Stage::new("orphaned");
    let member = |name: &'static str| ("GATETRAIL_KAFKA_GROUP_INSTANCE_ID", name);
    let mut first = stage.start(&["consume"], &[member("a"), ("GATETRAIL_CRASH_AT", "revoke-done")]);
    wait_until("the first has the partitions", || first.has_partitions(), || first.log_text());
    let second = stage.start(&["consume"], &[member("b")]);
    first.wait_for_end();

    let again = stage.start(&["consume"], &[member("a")]);
    wait_until("it takes its place again", || again.has_partitions(), || again.log_text());
    produce(&stage, 0..40);
    stage.wait_for_rows(40, 0, &again);
    let logs = again.log_text() + &second.log_text();
    assert!(logs.contains("partitions belong to no member of the group"), "{logs}");
    again.stop_well();
    second.stop_well();
}
