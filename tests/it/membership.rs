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
