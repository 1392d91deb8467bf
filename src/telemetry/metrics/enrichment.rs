//! What enrichment stands on: the registry, the memory of what events told, and the questions about what it missed.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::super::labels::{AskedLabel, AskedOutcome, CodeLabel, MemoryKind, MemoryLabel, RegistryKind, RegistryLabel};
use super::{Metrics, adder};

#[derive(Debug, Default)]
pub(super) struct Enrichment {
    registry_entries: Family<RegistryLabel, Gauge>,
    registry_refused: Family<CodeLabel, Counter>,
    memory_entries: Family<MemoryLabel, Gauge>,
    memory_bytes: Gauge,
    asked: Family<AskedLabel, Counter>,
}

impl Enrichment {
    pub(super) fn register(&self, registry: &mut Registry) {
        let mut add = adder(registry);
        add("registry_entries", "Servers and keys that the registry topic has told", &self.registry_entries);
        add(
            "registry_refused_records",
            "Records of the registry topic that were left out, by stable code; registry_full: no room",
            &self.registry_refused,
        );
        add(
            "enrich_memory_entries",
            "Sign-ins, connections, traces and clients whose facts are remembered for events that leave them out",
            &self.memory_entries,
        );
        add("enrich_memory_bytes", "Bytes of that memory, about; it has a bound", &self.memory_bytes);
        add(
            "enrich_asked_ids",
            "Sign-ins and connections that ClickHouse was asked about, by whether it knew them",
            &self.asked,
        );
    }

    pub(super) fn start_at_zero(&self) {
        for kind in RegistryKind::ALL {
            self.registry_entries.get_or_create(&RegistryLabel { kind: *kind }).set(0);
        }
        for outcome in AskedOutcome::ALL {
            self.asked.get_or_create(&AskedLabel { outcome: *outcome }).inc_by(0);
        }
    }
}

impl Metrics {
    /// What the registry holds.
    pub fn set_registry(&self, servers: usize, keys: usize) {
        for (kind, entries) in [(RegistryKind::Server, servers), (RegistryKind::Key, keys)] {
            let gauge = self.enrichment().registry_entries.get_or_create_owned(&RegistryLabel { kind });
            gauge.set(whole(entries));
        }
    }

    /// A record of the registry topic that was left out.
    pub fn count_refused_registry_record(&self, code: &'static str) {
        self.enrichment().registry_refused.get_or_create(&CodeLabel { code }).inc();
    }

    /// How many of a kind the memory of enrichment holds.
    pub fn set_enrich_memory(&self, kind: MemoryKind, entries: usize) {
        self.enrichment().memory_entries.get_or_create(&MemoryLabel { kind }).set(whole(entries));
    }

    /// Bytes of that memory, about.
    pub fn set_enrich_memory_bytes(&self, bytes: usize) {
        self.enrichment().memory_bytes.set(whole(bytes));
    }

    /// Ids that ClickHouse was asked about.
    pub fn count_asked_ids(&self, outcome: AskedOutcome, ids: usize) {
        let ids = u64::try_from(ids).unwrap_or(u64::MAX);
        self.enrichment().asked.get_or_create(&AskedLabel { outcome }).inc_by(ids);
    }

    fn enrichment(&self) -> &Enrichment {
        &self.inner.families.enrichment
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
