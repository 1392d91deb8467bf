//! The labels of the metrics: closed sets, and the cap that makes an open set closed.
//!
//! A label never holds a user, a request, a session or a free text: each distinct value is a time series for ever.

use std::collections::HashSet;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// Stands for every name beyond the cap.
pub const OTHER: &str = "__other__";
/// Stands for a name that is not known (`slug` missing in the event).
pub const UNKNOWN: &str = "__unknown__";
/// Names longer than this many bytes never become a label.
const LONGEST_NAME: usize = 100;

macro_rules! label_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$member_doc])* $member,)+
        }

        impl $name {
            /// Every member.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+];

            /// The value of the label.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$member => $text,)+ }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
                self.as_str().encode(encoder)
            }
        }
    };
}

label_enum! {
    /// What became of a Kafka record.
    RecordOutcome {
        /// It was decoded; its events are rows.
        Accepted = "accepted",
        /// It broke the contract and is a dead letter.
        Refused = "refused",
        /// It was left out on purpose, such as a record that carries no event.
        Dropped = "dropped",
    }
}

label_enum! {
    /// A table that `consume` writes.
    Table {
        /// One row an event.
        Events = "events",
        /// One row a refused record.
        DeadLetters = "dead_letters",
    }
}

label_enum! {
    /// A stretch of a batch's life.
    Stage {
        /// From its first record to its seal: the steps of all its records, and waiting for them.
        Fill = "fill",
        /// Rows to the body of the insert.
        Encode = "encode",
        /// From sending the body to ClickHouse's confirmation, retries included.
        Insert = "insert",
        /// Committing offsets to Kafka.
        Commit = "commit",
        /// From the first record to the committed offset.
        Total = "total",
    }
}

label_enum! {
    /// A bounded queue.
    Queue {
        /// Records polled and not yet transformed.
        Records = "records",
        /// Sealed batches that wait for their insert.
        Batches = "batches",
        /// Events taken over HTTP that wait for the broker's confirmation.
        Produce = "produce",
    }
}

label_enum! {
    /// What the registry holds.
    RegistryKind {
        /// A server under a slug.
        Server = "server",
        /// A key.
        Key = "key",
    }
}

label_enum! {
    /// What enrichment remembers.
    MemoryKind {
        /// A sign-in.
        Flow = "flow",
        /// A connection.
        Connection = "connection",
        /// A trace.
        Trace = "trace",
        /// A client at a server.
        Client = "client",
    }
}

label_enum! {
    /// What ClickHouse knew of an id that it was asked about.
    AskedOutcome {
        /// Events name it.
        Known = "known",
        /// None does yet.
        New = "new",
        /// It did not answer.
        Unanswered = "unanswered",
    }
}

label_enum! {
    /// What became of an event sent to `POST /v1/events`.
    HttpEventOutcome {
        /// The broker confirmed it.
        Accepted = "accepted",
        /// It broke the contract; the answer said how.
        Refused = "refused",
        /// The broker did not confirm it; the sender has to repeat it.
        Failed = "failed",
    }
}

macro_rules! label_set {
    ($($name:ident { $($field:ident: $type:ty),+ })+) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(super) struct $name {
            $(pub(super) $field: $type,)+
        }
    )+};
}

label_set! {
    OutcomeLabel { outcome: RecordOutcome }
    TableLabel { table: Table }
    CodeLabel { code: &'static str }
    VerdictLabels { class: &'static str, hop: &'static str }
    FailureLabels { class: &'static str, hop: &'static str, slug: Arc<str> }
    RefreshLabels { outcome: &'static str, trigger: &'static str, slug: Arc<str> }
    SlugLabel { slug: Arc<str> }
    KindLabel { kind: Arc<str> }
    PartitionLabel { topic: Arc<str>, partition: i32 }
    StageLabel { stage: Stage }
    RetryLabel { class: &'static str }
    ReasonLabel { reason: &'static str }
    QueueLabel { queue: Queue }
    RequestLabels { route: Arc<str>, status: u16 }
    RouteLabel { route: Arc<str> }
    HttpEventLabel { outcome: HttpEventOutcome }
    RegistryLabel { kind: RegistryKind }
    MemoryLabel { kind: MemoryKind }
    AskedLabel { outcome: AskedOutcome }
    VersionLabel { version: &'static str }
}

/// The names that have a label of their own: the first `capacity` that claimed one; all later ones are [`OTHER`].
#[derive(Debug)]
pub(super) struct CappedNames {
    known: HashSet<Arc<str>>,
    other: Arc<str>,
    capacity: usize,
}

impl CappedNames {
    pub(super) fn new(capacity: usize) -> Self {
        Self { known: HashSet::with_capacity(capacity), other: Arc::from(OTHER), capacity }
    }

    /// The label value for `name`. Only with `may_claim` does a new name take one of the places, so that names which
    /// exist nowhere (a scanner's guesses) cannot use them up.
    pub(super) fn label(&mut self, name: &str, may_claim: bool) -> Arc<str> {
        if let Some(known) = self.known.get(name) {
            return Arc::clone(known);
        }
        let fits = self.known.len() < self.capacity && name.len() <= LONGEST_NAME;
        if !may_claim || !fits {
            return Arc::clone(&self.other);
        }
        let label: Arc<str> = Arc::from(name);
        self.known.insert(Arc::clone(&label));
        label
    }
}

#[cfg(test)]
mod tests {
    use super::{CappedNames, OTHER};

    #[test]
    fn names_beyond_the_cap_share_one_label_and_known_ones_keep_theirs() {
        let mut names = CappedNames::new(2);
        let steps = [
            ("ghost", false, OTHER),
            ("github", true, "github"),
            ("jira", true, "jira"),
            ("linear", true, OTHER),
            ("github", false, "github"),
            ("ghost", true, OTHER),
        ];
        for (name, may_claim, expected) in steps {
            assert_eq!(&*names.label(name, may_claim), expected, "{name} {may_claim}");
        }
    }

    #[test]
    fn a_very_long_name_is_never_a_label() {
        assert_eq!(&*CappedNames::new(2).label(&"x".repeat(101), true), OTHER);
    }
}
