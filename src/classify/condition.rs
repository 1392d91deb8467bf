//! One condition of a rule: what it asks of an event, whether it holds, and what it looked at.
//!
//! Conditions are built by [`super::parse`]; they hold no regex, only the numbers of patterns, which were asked before.

use std::borrow::Cow;

use super::access::{Shape, has_value, list_of, number_of, shape_of, text_of};
use super::facts::{Facts, Step};
use super::text::{Matches, Patterns};
use super::urls::{Difference, compare, first_two, has_internal_host};
use crate::event::{CredentialKind, Event, FieldId, ServerAuth};

/// What a member's value is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Known or unknown.
    Present(bool),
    /// Equal to one of these texts.
    OneOf(Vec<String>),
    /// Within one of these ranges, both ends included.
    Within(Vec<(f64, f64)>),
    /// Begins with one of these texts.
    StartsWith(Vec<String>),
    /// Contains one of these texts.
    Contains(Vec<String>),
    /// A known list that has one of these members.
    Has(Vec<String>),
    /// A known list that has none of these members.
    Lacks(Vec<String>),
}

/// What a rule asks of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Each of these holds.
    All(Vec<Self>),
    /// One of these holds.
    Any(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// One of these patterns matches the text.
    Text(Vec<usize>),
    /// The event belongs to one of these steps.
    Step(Vec<Step>),
    /// The event's type is one of these.
    Type(Vec<String>),
    /// The effective OAuth code is one of these.
    Code(Vec<String>),
    /// The effective status is within one of these ranges.
    Status(Vec<(f64, f64)>),
    /// The effective JSON-RPC code is within one of these ranges.
    RpcCode(Vec<(f64, f64)>),
    /// A member passes a test.
    Field(FieldId, Test),
    /// An attribute passes a test.
    Attribute(String, Test),
    /// Two known URL members differ in one of these ways.
    Urls(FieldId, FieldId, Vec<Difference>),
    /// The first two URLs of the text differ in one of these ways.
    TextUrls(Vec<Difference>),
    /// A URL member has an internal host.
    InternalHost(FieldId),
    /// A credential without a user meets a server that needs one.
    UserMissing,
    /// A scope of the second member is missing from the first; both known.
    ScopeMissing(FieldId, FieldId),
    /// The configuration version that served is older than the newest one known.
    ConfigBehind,
    /// The last mark of success in the text stands behind the last mark of failure.
    EndsWell,
}

/// A text that patterns are asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'c> {
    /// The text.
    pub text: &'c str,
    /// What is known of it.
    pub matches: &'c Matches,
    /// The patterns.
    pub patterns: &'c Patterns,
}

impl Asked<'_> {
    /// Whether a pattern matches.
    #[must_use]
    pub fn matches(&self, pattern: usize) -> bool {
        self.matches.contains(pattern, self.patterns, self.text)
    }
}

/// What conditions are judged against.
#[derive(Debug)]
pub struct Case<'c, 'e, 'a> {
    /// The event.
    pub event: &'e Event<'a>,
    /// What it says.
    pub facts: &'c Facts<'e>,
    /// The text asked about.
    pub asked: Asked<'c>,
    /// The whole text: what excludes a rule does so wherever it stands.
    pub anywhere: Asked<'c>,
    /// Whether the text ends with a success.
    pub ends_well: bool,
}

impl Condition {
    /// What it takes to judge it: nothing to speak of, patterns asked about a text, or about the whole of it.
    #[must_use]
    pub fn cost(&self) -> u8 {
        match self {
            Self::Text(_) | Self::TextUrls(_) => 1,
            Self::Not(part) => 2 * part.cost().min(1),
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether the condition holds.
    #[must_use]
    pub fn holds(&self, case: &Case<'_, '_, '_>) -> bool {
        self.holds_for(case, &case.asked)
    }

    fn holds_for(&self, case: &Case<'_, '_, '_>, asked: &Asked<'_>) -> bool {
        let event = case.event;
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds_for(case, asked)),
            Self::Any(parts) => parts.iter().any(|part| part.holds_for(case, asked)),
            Self::Not(part) => !part.holds_for(case, &case.anywhere),
            Self::Text(patterns) => patterns.iter().any(|pattern| asked.matches(*pattern)),
            Self::Step(steps) => steps.contains(&case.facts.step),
            Self::Type(names) => is_among(&event.type_name, names),
            Self::Code(codes) => case.facts.code.as_ref().is_some_and(|code| is_among(&code.value, codes)),
            Self::Status(ranges) => {
                case.facts.status.as_ref().is_some_and(|status| is_within(f64::from(status.value), ranges))
            }
            Self::RpcCode(ranges) => {
                case.facts.rpc_code.as_ref().is_some_and(|code| is_within(code.value as f64, ranges))
            }
            Self::Field(field, test) => field_passes(event, *field, test),
            Self::Attribute(name, test) => text_passes(event.attribute(name), test),
            Self::Urls(left, right, differences) => {
                url_difference(event, *left, *right).is_some_and(|difference| differences.contains(&difference))
            }
            Self::TextUrls(differences) => first_two(case.asked.text)
                .and_then(|(left, right)| compare(left, right))
                .is_some_and(|difference| differences.contains(&difference)),
            Self::InternalHost(field) => text_of(event, *field).is_some_and(|url| has_internal_host(&url)),
            Self::UserMissing => is_user_missing(event),
            Self::ScopeMissing(have, need) => is_scope_missing(event, *have, *need),
            Self::ConfigBehind => is_config_behind(event),
            Self::EndsWell => case.ends_well,
        }
    }

    /// Adds (column, value) for each part that holds; text is left to the caller, who knows the pattern.
    pub fn add_evidence<'e>(&self, case: &Case<'_, 'e, '_>, evidence: &mut Vec<(&'static str, Cow<'e, str>)>) {
        let event = case.event;
        let mut add = |field: FieldId| {
            if let Some(value) = event.text_of(field) {
                add_once(evidence, field, value);
            }
        };
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts.iter().filter(|part| part.holds(case)) {
                    part.add_evidence(case, evidence);
                }
            }
            Self::Code(_) => {
                if let Some(code) = &case.facts.code {
                    add_once(evidence, code.from, code.value.clone());
                }
            }
            Self::Status(_) => {
                if let Some(status) = &case.facts.status {
                    add_once(evidence, status.from, Cow::Owned(status.value.to_string()));
                }
            }
            Self::RpcCode(_) => {
                if let Some(code) = &case.facts.rpc_code {
                    add_once(evidence, code.from, Cow::Owned(code.value.to_string()));
                }
            }
            Self::Field(field, _) | Self::InternalHost(field) => add(*field),
            Self::Urls(left, right, _) | Self::ScopeMissing(left, right) => {
                add(*left);
                add(*right);
            }
            Self::UserMissing => {
                add(FieldId::credential_kind);
                add(FieldId::server_auth);
            }
            Self::ConfigBehind => {
                add(FieldId::config_version);
                add_attribute(evidence, event, NEWEST_CONFIG_VERSION);
            }
            Self::Attribute(name, _) => add_attribute(evidence, event, name),
            Self::Step(_) | Self::Type(_) => {
                if !evidence.iter().any(|(column, _)| *column == "type") {
                    evidence.push(("type", Cow::Borrowed(event.type_name.as_ref())));
                }
            }
            Self::Not(_) | Self::Text(_) | Self::TextUrls(_) | Self::EndsWell => {}
        }
    }
}

fn add_once<'e>(evidence: &mut Vec<(&'static str, Cow<'e, str>)>, field: FieldId, value: Cow<'e, str>) {
    let entry = (field.column(), value);
    if !evidence.contains(&entry) {
        evidence.push(entry);
    }
}

fn add_attribute<'e>(evidence: &mut Vec<(&'static str, Cow<'e, str>)>, event: &Event<'_>, name: &str) {
    if let Some(value) = event.attribute(name) {
        evidence.push(("attributes", Cow::Owned(format!("{name}={value}"))));
    }
}

fn is_among(text: &str, list: &[String]) -> bool {
    list.iter().any(|member| member == text)
}

fn is_within(number: f64, ranges: &[(f64, f64)]) -> bool {
    ranges.iter().any(|(least, most)| (*least..=*most).contains(&number))
}

fn field_passes(event: &Event<'_>, field: FieldId, test: &Test) -> bool {
    match test {
        // A number or list would be spelled out only to be dropped again; an enumeration's unknown member is no value.
        Test::Present(wanted) if !matches!(shape_of(field), Shape::OneOf(_)) => has_value(event, field) == *wanted,
        Test::Within(ranges) => number_of(event, field).is_some_and(|number| is_within(number, ranges)),
        Test::Has(names) => list_of(event, field).is_some_and(|list| list.iter().any(|member| is_among(member, names))),
        Test::Lacks(names) => {
            list_of(event, field).is_some_and(|list| !list.iter().any(|member| is_among(member, names)))
        }
        Test::Present(_) | Test::OneOf(_) | Test::StartsWith(_) | Test::Contains(_) => {
            text_passes(text_of(event, field).as_deref(), test)
        }
    }
}

fn text_passes(text: Option<&str>, test: &Test) -> bool {
    match test {
        Test::Present(wanted) => text.is_some() == *wanted,
        Test::OneOf(list) => text.is_some_and(|text| is_among(text, list)),
        Test::StartsWith(list) => text.is_some_and(|text| list.iter().any(|start| text.starts_with(start.as_str()))),
        Test::Contains(list) => text.is_some_and(|text| list.iter().any(|part| text.contains(part.as_str()))),
        // The parser gives number and list tests to number and list members only.
        Test::Within(_) | Test::Has(_) | Test::Lacks(_) => false,
    }
}

/// How the two members differ as URLs; `None` when one is unknown or no URL.
fn url_difference(event: &Event<'_>, left: FieldId, right: FieldId) -> Option<Difference> {
    compare(&text_of(event, left)?, &text_of(event, right)?)
}

/// A service key acts for nobody, a per-user OAuth server wants somebody. `none` has no user either, but a request
/// without a credential is a handshake, not this failure.
fn is_user_missing(event: &Event<'_>) -> bool {
    event.server_auth == Some(ServerAuth::OAuthUser) && event.credential_kind == Some(CredentialKind::ServiceKey)
}

/// The attribute under which enrichment notes the newest configuration version it knows, when another one served.
pub const NEWEST_CONFIG_VERSION: &str = "registry.config_version";

/// Versions that are numbers are compared as such, because the registry may also lag behind the gateway; of others only
/// the difference is known.
fn is_config_behind(event: &Event<'_>) -> bool {
    let (Some(served), Some(newest)) = (event.config_version.as_deref(), event.attribute(NEWEST_CONFIG_VERSION)) else {
        return false;
    };
    match (served.parse::<u64>(), newest.parse::<u64>()) {
        (Ok(served), Ok(newest)) => served < newest,
        _ => served != newest,
    }
}

fn is_scope_missing(event: &Event<'_>, have: FieldId, need: FieldId) -> bool {
    match (list_of(event, have), list_of(event, need)) {
        (Some(have), Some(need)) => need.iter().any(|scope| !have.contains(scope)),
        _ => false,
    }
}
