//! Words for a verdict: the one-line summary, and what the one who has to act should do.
//!
//! Texts come from [`super::codes`]; placeholders `{column}` are filled from the values of the event or request. A text
//! with a placeholder whose value is unknown is never used: the next variant, without it, is.
//!
//! ```
//! use gatetrail::classify::{fix_text, Class, WhoActs};
//! let values = |column: &str| (column == "slug").then(|| "wiki".to_owned());
//! let text = fix_text(Class::RefreshFailure, None, WhoActs::EndUser, None, &values);
//! assert_eq!(text, "Disconnect wiki and sign in again.");
//! ```

use super::class::{Class, WhoActs};
use super::codes::Codes;
use super::urls::{Difference, compare};
use crate::event::Hop;
use crate::event::vocabulary::ClosedEnum;

/// Placeholders that are computed from several columns.
pub const DERIVED: &[&str] = &["url_difference", "scope_missing"];

/// Looks a value up by column name; `None` when unknown.
pub type Values<'v> = dyn Fn(&str) -> Option<String> + 'v;

/// What `audience` should do about a failure of this class, in plain words.
///
/// `audience` is usually the verdict's `who_acts`; an audience without a text of its own is told whom to turn to.
/// `product` is `gateway_product`; `values` gives the event's or request's value of a column.
#[must_use]
pub fn fix_text(
    class: Class,
    reason: Option<&str>,
    audience: WhoActs,
    product: Option<&str>,
    values: &Values<'_>,
) -> String {
    let codes = Codes::embedded();
    let Some(text) = codes.of(class) else { return String::new() };
    let usual_actor = WhoActs::parse(&text.who_acts);
    let addressee = if audience == WhoActs::Unknown { usual_actor } else { audience };
    if let Some(fix) = text.fix_for(addressee.as_str(), reason, product) {
        return filled(&fix.text, values);
    }
    let handover = codes.handover.get(addressee.as_str()).map(String::as_str).unwrap_or_default();
    handover.replace("{actor}", actor(usual_actor))
}

/// The verdict in one line: which hop, what, who has to act.
///
/// Example: `upstream refused: the registered URL https://x.example lacks the path /mcp that the server advertises; the
/// workspace admin has to change it`.
#[must_use]
pub fn summary_text(class: Class, hop: Hop, who_acts: WhoActs, values: &Values<'_>) -> String {
    let Some(text) = Codes::embedded().of(class) else { return String::new() };
    let clause = filled(&text.summary, values);
    if class == Class::None {
        return clause;
    }
    let place = match hop {
        Hop::Unknown => "",
        known => known.as_str(),
    };
    let verb = match class {
        Class::UpstreamUnavailable | Class::ToolError | Class::AccessUnverifiable | Class::Unclassified => "failed",
        _ => "refused",
    };
    let start = if place.is_empty() { verb.to_owned() } else { format!("{place} {verb}") };
    let end = match who_acts {
        WhoActs::Nobody => "nobody has to act".to_owned(),
        WhoActs::Unknown => "who has to act is not known".to_owned(),
        WhoActs::WorkspaceAdmin | WhoActs::IdentityProviderAdmin => format!("{} has to change it", actor(who_acts)),
        other => format!("{} has to act", actor(other)),
    };
    format!("{start}: {clause}; {end}")
}

/// How a role is called within a sentence.
fn actor(who_acts: WhoActs) -> &'static str {
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

/// The first variant whose placeholders are all known, filled.
fn filled(variants: &[String], values: &Values<'_>) -> String {
    let known = |name: &str| derived(name, values).or_else(|| values(name)).filter(|value| !value.is_empty());
    let fill = |variant: &String| {
        let mut text = variant.clone();
        for name in placeholders(variant) {
            text = text.replace(&format!("{{{name}}}"), &known(name)?);
        }
        Some(text)
    };
    variants.iter().find_map(fill).unwrap_or_default()
}

/// The names between braces in a text.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn derived(name: &str, values: &Values<'_>) -> Option<String> {
    match name {
        "url_difference" => url_difference(&values("resource_registered")?, &values("resource_advertised")?),
        "scope_missing" => {
            let (granted, required) = (values("scope_granted")?, values("scope_required")?);
            let missing: Vec<&str> = required
                .split_ascii_whitespace()
                .filter(|scope| !granted.split_ascii_whitespace().any(|have| have == *scope))
                .collect();
            (!missing.is_empty()).then(|| missing.join(" "))
        }
        _ => None,
    }
}

/// How the registered URL differs from the advertised one, as the end of a sentence about the registered one.
#[must_use]
pub fn url_difference(registered: &str, advertised: &str) -> Option<String> {
    let difference = compare(registered, advertised)?;
    let missing_path = advertised.strip_prefix(registered.trim_end_matches('/')).filter(|path| path.len() > 1);
    Some(match (difference, missing_path) {
        (Difference::Same, _) => return None,
        (Difference::Path, Some(path)) => format!("lacks the path {path} that the server advertises"),
        (Difference::TrailingSlash, _) => format!("differs from {advertised} in the slash at its end"),
        (Difference::Scheme, _) => format!("differs from {advertised} in the scheme"),
        (Difference::Port, _) => format!("differs from {advertised} in the port"),
        _ => {
            let same = registered.chars().zip(advertised.chars()).take_while(|(left, right)| left == right).count();
            format!("differs from the advertised {advertised} from character {} on", same + 1)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{fix_text, summary_text, url_difference};
    use crate::classify::class::{Class, WhoActs};
    use crate::event::Hop;
    use crate::event::vocabulary::ClosedEnum;

    fn values<'v>(known: &'v [(&'v str, &'v str)]) -> impl Fn(&str) -> Option<String> + 'v {
        |column| known.iter().find(|(name, _)| *name == column).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_summary_names_hop_cause_and_actor() {
        let known =
            values(&[("resource_registered", "https://x.example"), ("resource_advertised", "https://x.example/mcp")]);
        let summary = summary_text(Class::ResourceMismatch, Hop::Upstream, WhoActs::WorkspaceAdmin, &known);
        assert_eq!(
            summary,
            "upstream refused: the registered URL https://x.example lacks the path /mcp that the server advertises; the workspace admin has to change it"
        );
        assert_eq!(summary_text(Class::None, Hop::Upstream, WhoActs::Nobody, &known), "nothing failed");
    }

    #[test]
    fn the_narrowest_text_is_used() {
        let cases = [
            (Class::BaseUrlMisconfigured, None, Some("portkey"), "MCP_GATEWAY_BASE_URL"),
            (Class::BaseUrlMisconfigured, None, Some("Portkey"), "MCP_GATEWAY_BASE_URL"),
            (Class::BaseUrlMisconfigured, None, Some("other"), "public base URL"),
            (Class::BaseUrlMisconfigured, Some("host_guard"), None, "allowed hosts"),
        ];
        for (class, reason, product, expected) in cases {
            let text = fix_text(class, reason, WhoActs::GatewayOperator, product, &|_| None);
            assert!(text.contains(expected), "{reason:?} {product:?}: {text}");
        }
    }

    #[test]
    fn no_text_ever_has_a_hole_or_is_empty() {
        let everything = |column: &str| Some(format!("<{column}>"));
        let nothing = |_: &str| None;
        for class in Class::KNOWN {
            for audience in WhoActs::KNOWN.iter().chain([&WhoActs::Unknown]) {
                for text in [
                    fix_text(*class, None, *audience, None, &nothing),
                    fix_text(*class, None, *audience, None, &everything),
                    summary_text(*class, Hop::Upstream, *audience, &nothing),
                    summary_text(*class, Hop::Unknown, *audience, &everything),
                ] {
                    assert!(!text.is_empty() && !text.contains(['{', '}']), "{class:?} {audience:?}: {text:?}");
                }
            }
        }
    }

    #[test]
    fn an_audience_without_a_text_is_told_whom_to_turn_to() {
        let text = fix_text(Class::DcrUnsupported, None, WhoActs::ServerOwner, None, &|_| None);
        assert!(text.contains("the workspace admin"), "{text}");
    }

    #[test]
    fn the_missing_scope_is_named() {
        let known = values(&[("scope_granted", "read"), ("scope_required", "read write")]);
        let summary = summary_text(Class::MissingPermission, Hop::Downstream, WhoActs::EndUser, &known);
        assert!(summary.starts_with("downstream refused: the scope write is missing;"), "{summary}");
    }

    #[test]
    fn the_place_where_urls_differ_is_named() {
        let found = url_difference("https://a.example/v1", "https://b.example/mcp").expect("they differ");
        assert!(found.ends_with("from character 9 on"), "{found}");
        assert_eq!(url_difference("https://a.example", "https://a.example/"), None);
    }
}
