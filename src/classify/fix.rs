//! Words for a verdict: the one-line summary, and what each of those concerned should do.
//!
//! Texts come from [`super::codes`]; placeholders `{column}` are filled from the values of the event or request, others by
//! [`super::derived`]. A text with a placeholder whose value is unknown is never used: the next variant, without it, is.
//!
//! ```
//! use gatetrail::classify::{Class, Failure, WhoActs};
//! use gatetrail::event::Hop;
//! let values = |column: &str| (column == "slug").then(|| "wiki".to_owned());
//! let failure =
//!     Failure { class: Class::ToolError, reason: Some("not_found"), hop: Hop::Upstream, product: None, values: &values };
//! let text = failure.fix(WhoActs::EndUser, WhoActs::ServerOwner);
//! assert_eq!(text, "Check that what you asked for exists and is shared with your account at wiki.");
//! ```

use super::class::{Class, WhoActs};
use super::codes::{Codes, Fix};
use super::derived::derived;
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;

/// Looks a value up by column name; `None` when unknown.
pub type Values<'v> = dyn Fn(&str) -> Option<String> + 'v;

/// What failed, as far as words need it.
#[derive(Clone, Copy)]
pub struct Failure<'v> {
    /// What went wrong.
    pub class: Class,
    /// Finer than the class.
    pub reason: Option<&'v str>,
    /// The hop that refused.
    pub hop: Hop,
    /// `gateway_product`, where it is known.
    pub product: Option<&'v str>,
    /// The event's or request's value of a column.
    pub values: &'v Values<'v>,
}

impl Failure<'_> {
    /// A value that is known and not empty; `hop` is the hop that refused.
    #[must_use]
    pub fn known(&self, column: &str) -> Option<String> {
        let value = if column == "hop" { Some(self.hop.as_str().to_owned()) } else { (self.values)(column) };
        value.filter(|value| !value.is_empty())
    }

    /// What `audience` should do, in plain words; `who_acts` is who has to act in the end.
    ///
    /// Who has to act and has no text in this class is told what its usual actor would do; anybody else without a text
    /// is told whom to turn to.
    #[must_use]
    pub fn fix(&self, audience: WhoActs, who_acts: WhoActs) -> String {
        let codes = Codes::embedded();
        let usual = codes.of(self.class).map_or(WhoActs::Unknown, |text| WhoActs::parse(&text.who_acts));
        let actor = if who_acts == WhoActs::Unknown { usual } else { who_acts };
        let addressee = if audience == WhoActs::Unknown { actor } else { audience };
        let of_usual = || if addressee == actor { self.own_text(usual) } else { None };
        self.own_text(addressee).or_else(of_usual).unwrap_or_else(|| {
            let handover = codes.handover.get(addressee.as_str()).map(String::as_str).unwrap_or_default();
            handover.replace("{actor}", called(actor))
        })
    }

    /// What each of those concerned should do: who has to act first, then the others that have something to do. The
    /// person at the client is always told something, since it is them who ask.
    #[must_use]
    pub fn fixes(&self, who_acts: WhoActs) -> Vec<(WhoActs, String)> {
        if self.class == Class::None {
            return Vec::new();
        }
        let usual = Codes::embedded().of(self.class).map_or(WhoActs::Unknown, |text| WhoActs::parse(&text.who_acts));
        let actor = if who_acts == WhoActs::Unknown { usual } else { who_acts };
        let mut fixes = vec![(actor, self.fix(actor, actor))];
        for audience in WhoActs::KNOWN.iter().copied().filter(|audience| ![actor, WhoActs::Nobody].contains(audience)) {
            if let Some(text) = self.own_text(audience) {
                fixes.push((audience, text));
            }
        }
        if !fixes.iter().any(|(audience, _)| *audience == WhoActs::EndUser) {
            fixes.push((WhoActs::EndUser, self.fix(WhoActs::EndUser, actor)));
        }
        fixes
    }

    /// The verdict in one line: which hop, what, who has to act.
    ///
    /// Example: `upstream refused: the registered URL https://x.example lacks the path /mcp that the server advertises; the
    /// workspace admin has to change it`.
    #[must_use]
    pub fn summary(&self, who_acts: WhoActs) -> String {
        let Some(text) = Codes::embedded().of(self.class) else { return String::new() };
        let clause = self.filled(&text.summary);
        if self.class == Class::None {
            return clause;
        }
        let verb = match self.class {
            Class::UpstreamUnavailable | Class::ToolError | Class::AccessUnverifiable | Class::Unclassified => "failed",
            _ => "refused",
        };
        let start = match self.hop {
            Hop::Unknown => verb.to_owned(),
            known => format!("{} {verb}", known.as_str()),
        };
        let end = match who_acts {
            WhoActs::Nobody => "nobody has to act".to_owned(),
            WhoActs::Unknown => "who has to act is not known".to_owned(),
            WhoActs::WorkspaceAdmin | WhoActs::IdentityProviderAdmin => {
                format!("{} has to change it", called(who_acts))
            }
            other => format!("{} has to act", called(other)),
        };
        format!("{start}: {clause}; {end}")
    }

    /// The narrowest fix for this audience that fits, filled.
    fn own_text(&self, audience: WhoActs) -> Option<String> {
        let fits = |fix: &&Fix| {
            fix.audience == audience.as_str() && fix.fits(self.reason, self.product, |column| self.known(column))
        };
        // Of equally narrow ones the first of the file: `max_by_key` would take the last.
        let fitting = Codes::embedded().of(self.class)?.fix.iter().rev().filter(fits);
        fitting.max_by_key(|fix| fix.narrowness()).map(|fix| self.filled(&fix.text))
    }

    /// The first variant whose placeholders are all known, filled.
    fn filled(&self, variants: &[String]) -> String {
        let known = |name: &str| derived(name, self).or_else(|| self.known(name)).filter(|value| !value.is_empty());
        let fill = |variant: &String| {
            let mut text = String::with_capacity(variant.len());
            let mut rest = variant.as_str();
            // Filled from left to right, so that a value which holds braces is never taken for a placeholder.
            while let Some((before, after)) = rest.split_once('{') {
                let (name, behind) = after.split_once('}')?;
                text.push_str(before);
                text.push_str(&known(name)?);
                rest = behind;
            }
            text.push_str(rest);
            Some(text)
        };
        variants.iter().find_map(fill).unwrap_or_default()
    }
}

/// How a role is called within a sentence.
fn called(who_acts: WhoActs) -> &'static str {
    match who_acts {
        WhoActs::EndUser => "the person at the client",
        WhoActs::WorkspaceAdmin => "the workspace admin",
        WhoActs::IdentityProviderAdmin => "the identity provider's admin",
        WhoActs::GatewayOperator => "the gateway's operator",
        WhoActs::ServerOwner => "the server's owner",
        WhoActs::ClientVendor => "the client's maker",
        WhoActs::Nobody | WhoActs::Unknown => "nobody",
    }
}

/// The names between braces in a text.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::{Failure, Values};
    use crate::classify::class::{Class, WhoActs};
    use crate::classify::classifier::EMBEDDED;
    use crate::classify::codes::Codes;
    use crate::classify::rules::Rules;
    use crate::event::Hop;
    use crate::event::vocabulary::ClosedEnum;

    fn values<'v>(known: &'v [(&'v str, &'v str)]) -> impl Fn(&str) -> Option<String> + 'v {
        |column| known.iter().find(|(name, _)| *name == column).map(|(_, value)| (*value).to_owned())
    }

    fn failure<'v>(class: Class, reason: Option<&'v str>, hop: Hop, values: &'v Values<'v>) -> Failure<'v> {
        Failure { class, reason, hop, product: None, values }
    }

    #[test]
    fn the_summary_names_hop_cause_and_actor() {
        let known =
            values(&[("resource_registered", "https://x.example"), ("resource_advertised", "https://x.example/mcp")]);
        let summary =
            failure(Class::ResourceMismatch, None, Hop::Upstream, &known).summary(WhoActs::WorkspaceAdmin);
        assert_eq!(
            summary,
            "upstream refused: the registered URL https://x.example lacks the path /mcp that the server advertises; the workspace admin has to change it"
        );
        assert_eq!(failure(Class::None, None, Hop::Upstream, &known).summary(WhoActs::Nobody), "nothing failed");
    }

    #[test]
    fn the_narrowest_text_is_used() {
        let (none, key) = (values(&[]), values(&[("credential_kind", "user_key")]));
        let text = |class, reason, product, hop, values, audience| {
            Failure { class, reason, hop, product, values }.fix(audience, audience)
        };
        let operator = WhoActs::GatewayOperator;
        let cases = [
            (Class::BaseUrlMisconfigured, None, Some("portkey"), Hop::Downstream, operator, "MCP_GATEWAY_BASE_URL"),
            (Class::BaseUrlMisconfigured, None, Some("Portkey"), Hop::Downstream, operator, "MCP_GATEWAY_BASE_URL"),
            (Class::BaseUrlMisconfigured, None, Some("other"), Hop::Downstream, operator, "public base URL"),
            (Class::BaseUrlMisconfigured, Some("host_guard"), None, Hop::Downstream, operator, "allowed hosts"),
            (Class::InvalidClient, None, None, Hop::Downstream, WhoActs::EndUser, "register anew"),
            (Class::InvalidClient, None, None, Hop::Upstream, WhoActs::EndUser, "does not help until"),
        ];
        for (class, reason, product, hop, audience, expected) in cases {
            let said = text(class, reason, product, hop, &none as &Values<'_>, audience);
            assert!(said.contains(expected), "{reason:?} {product:?}: {said}");
        }
        let said = text(Class::SignInRequired, None, None, Hop::Downstream, &key, WhoActs::EndUser);
        assert!(said.starts_with("The key is not accepted"), "{said}");
        for class in Class::KNOWN.iter().filter(|class| **class != Class::ExternalAuthBlocked) {
            for product in [None, Some("other")] {
                for audience in WhoActs::KNOWN {
                    let said = text(*class, None, product, Hop::Upstream, &none, *audience);
                    assert!(!said.contains("MCP_GATEWAY_BASE_URL") && !said.contains("oauth_metadata."), "{said}");
                }
            }
        }
    }

    #[test]
    fn no_text_ever_has_a_hole_or_is_empty() {
        let everything = |column: &str| Some(format!("<{column}>"));
        let nothing = |_: &str| None;
        for (class, text) in Codes::embedded().all() {
            let reasons = text.reasons.keys().map(|reason| Some(reason.as_str())).chain([None]);
            for reason in reasons {
                for values in [&everything as &Values<'_>, &nothing] {
                    for hop in [Hop::Upstream, Hop::Downstream, Hop::Unknown] {
                        let failure = failure(class, reason, hop, values);
                        for who_acts in WhoActs::KNOWN.iter().copied().chain([WhoActs::Unknown]) {
                            let mut texts = vec![failure.summary(who_acts), failure.fix(who_acts, who_acts)];
                            texts.extend(failure.fixes(who_acts).into_iter().map(|(_, text)| text));
                            for text in texts {
                                let is_whole = !text.is_empty() && !text.contains(['{', '}']);
                                assert!(is_whole, "{class:?} {reason:?} {who_acts:?}: {text:?}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn who_has_to_act_comes_first_and_the_person_at_the_client_is_always_told_something() {
        let known = values(&[("slug", "wiki")]);
        let nothing_to_do = failure(Class::None, None, Hop::Unknown, &known);
        assert!(nothing_to_do.fixes(WhoActs::Nobody).is_empty());
        for class in Class::KNOWN.iter().filter(|class| **class != Class::None) {
            for who_acts in WhoActs::KNOWN {
                let fixes = failure(*class, None, Hop::Upstream, &known).fixes(*who_acts);
                assert_eq!(fixes[0].0, *who_acts);
                assert!(fixes.iter().any(|(audience, _)| *audience == WhoActs::EndUser), "{class:?}");
                let audiences: std::collections::HashSet<_> = fixes.iter().map(|(audience, _)| audience).collect();
                assert_eq!(audiences.len(), fixes.len(), "{class:?}: somebody is told two things");
            }
        }
    }

    #[test]
    fn an_audience_without_a_text_is_told_whom_to_turn_to() {
        let nothing = |_: &str| None;
        let failure = failure(Class::DcrUnsupported, None, Hop::Upstream, &nothing);
        let text = failure.fix(WhoActs::ServerOwner, WhoActs::WorkspaceAdmin);
        assert!(text.contains("the workspace admin"), "{text}");
    }

    #[test]
    fn whoever_a_rule_names_has_a_text_of_their_own() {
        let nothing = |_: &str| None;
        let rules = Rules::load(EMBEDDED).expect("the embedded rules are sound");
        for rule in &rules.rules {
            for hop in [Hop::Downstream, Hop::Upstream] {
                let who_acts = rules.who_acts(rule, rule.hop.unwrap_or(hop));
                let failure = failure(rule.class, rule.reason.as_deref(), rule.hop.unwrap_or(hop), &nothing);
                let has_text = rule.class == Class::None || failure.own_text(who_acts).is_some();
                assert!(has_text, "{}: {who_acts:?} has to act ({hop:?}) and is told nothing", rule.id);
            }
        }
    }

    #[test]
    fn every_reason_of_a_rule_is_explained() {
        for rule in &Rules::load(EMBEDDED).expect("the embedded rules are sound").rules {
            let Some(reason) = &rule.reason else { continue };
            let text = Codes::embedded().of(rule.class).expect("every class has texts");
            assert!(text.reasons.contains_key(reason), "{}: {} / {reason}", rule.id, rule.class.as_str());
        }
    }

    #[test]
    fn a_value_with_braces_is_no_placeholder() {
        let known = values(&[("mcp_tool", "{slug}"), ("slug", "wiki")]);
        let text = failure(Class::ToolError, None, Hop::Upstream, &known).fix(WhoActs::ServerOwner, WhoActs::ServerOwner);
        assert!(text.starts_with("Look at what {slug} answered"), "{text}");
    }
}
