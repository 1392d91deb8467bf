//! The labelled example messages, in the form that `gatetrail classify --eval` measures. Those labelled `unclassified` say
//! how nothing is said.

use super::words::Circumstances;
use crate::classify::class::Class;
use crate::classify::facts::step_of_kind;
use crate::classify::labelled::Entry;
use crate::classify::text_case::Phase;
use crate::event::EventKind;
use crate::event::vocabulary::ClosedEnum;

/// Messages written for this purpose, one file a class.
const EMBEDDED: &[&str] = &[
    include_str!("../examples.d/access_unverifiable.jsonl"),
    include_str!("../examples.d/base_url_misconfigured.jsonl"),
    include_str!("../examples.d/consent_denied.jsonl"),
    include_str!("../examples.d/dcr_unsupported.jsonl"),
    include_str!("../examples.d/discovery_failure.jsonl"),
    include_str!("../examples.d/external_auth_blocked.jsonl"),
    include_str!("../examples.d/forbidden.jsonl"),
    include_str!("../examples.d/invalid_client.jsonl"),
    include_str!("../examples.d/invalid_scope.jsonl"),
    include_str!("../examples.d/missing_permission.jsonl"),
    include_str!("../examples.d/none.jsonl"),
    include_str!("../examples.d/pkce_or_state_mismatch.jsonl"),
    include_str!("../examples.d/protocol_error.jsonl"),
    include_str!("../examples.d/rate_limited.jsonl"),
    include_str!("../examples.d/redirect_uri_mismatch.jsonl"),
    include_str!("../examples.d/refresh_failure.jsonl"),
    include_str!("../examples.d/resource_mismatch.jsonl"),
    include_str!("../examples.d/server_not_found.jsonl"),
    include_str!("../examples.d/sign_in_required.jsonl"),
    include_str!("../examples.d/stale_configuration.jsonl"),
    include_str!("../examples.d/tool_error.jsonl"),
    include_str!("../examples.d/unclassified.jsonl"),
    include_str!("../examples.d/upstream_unavailable.jsonl"),
    include_str!("../examples.d/user_identity_required.jsonl"),
    include_str!("../examples.d/wrong_organization.jsonl"),
];

/// The class of an example, when it is one.
pub fn class_of(example: &Entry) -> Option<Class> {
    Class::find(&example.class)
}

/// Where an example was seen.
pub fn circumstances_of(example: &Entry) -> Circumstances<'_> {
    let phase = example.phase.as_deref().and_then(Phase::find).unwrap_or(Phase::Unknown);
    Circumstances {
        step: step_of_kind(EventKind::of(phase.event_type())).as_str(),
        hop: example.hop.as_deref().unwrap_or("unknown"),
        status: example.http_status.filter(|status| *status >= 400),
        code: example.oauth_error.as_deref(),
    }
}

/// The examples that come with the binary; a line that is none is left out, and a test keeps the list without such lines.
pub fn embedded() -> Vec<Entry> {
    lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn lines() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().flat_map(|file| file.lines()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{class_of, embedded, lines};
    use crate::classify::class::Class;
    use crate::classify::labelled::Entry;
    use crate::event::vocabulary::ClosedEnum;

    #[test]
    fn every_line_is_an_example_with_a_class_and_is_there_once() {
        let mut seen = BTreeSet::new();
        for line in lines() {
            let example: Entry = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(class_of(&example).is_some(), "{line}");
            assert!(seen.insert((example.message, example.phase, example.http_status)), "twice: {line}");
        }
    }

    #[test]
    fn every_class_has_examples() {
        let classes: Vec<_> = embedded().iter().filter_map(class_of).collect();
        for class in Class::KNOWN {
            let count = classes.iter().filter(|other| *other == class).count();
            assert!(count >= 20, "{}: {count}", class.as_str());
        }
    }
}
