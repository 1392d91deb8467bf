//! Two URLs that should be the same: which, where they part, and how to say it.
//!
//! Registered URL and advertised resource (RFC 9728 §3.3), audience and resource, callback sent and expected, base URL
//! and what is handed out. What counts as a difference is [`super::urls::compare`]'s business.

use super::class::Class;
use super::derived::expected_callback;
use super::fix::Failure;
use super::urls::{Difference as Kind, compare, first_two};

/// Two values with what they are called, and the parts in which they differ. Positions count characters from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What the first one is, and its value: what is to be changed.
    pub left: (&'static str, String),
    /// What the second one is, and its value: what it should be.
    pub right: (&'static str, String),
    /// From here on they differ.
    pub at: usize,
    /// So many characters of the first differ, from `at`.
    pub left_length: usize,
    /// So many characters of the second differ, from `at`.
    pub right_length: usize,
}

impl Difference {
    /// The difference of two URLs; `None` when they are no web URLs, or the same one.
    #[must_use]
    pub fn of(left: (&'static str, String), right: (&'static str, String)) -> Option<Self> {
        if compare(&left.1, &right.1)? == Kind::Same {
            return None;
        }
        let (lefts, rights): (Vec<char>, Vec<char>) = (left.1.chars().collect(), right.1.chars().collect());
        let at = lefts.iter().zip(&rights).take_while(|(left, right)| left == right).count();
        let shorter = lefts.len().min(rights.len()) - at;
        let same_end = lefts.iter().rev().zip(rights.iter().rev()).take(shorter);
        let same_end = same_end.take_while(|(left, right)| left == right).count();
        Some(Self {
            at,
            left_length: lefts.len() - at - same_end,
            right_length: rights.len() - at - same_end,
            left,
            right,
        })
    }

    /// How the first differs from the second, as the end of a sentence about the first.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let (left, right) = (&self.left.1, &self.right.1);
        let missing_path = right.strip_prefix(left.trim_end_matches('/')).filter(|path| path.len() > 1);
        Some(match (compare(left, right)?, missing_path) {
            (Kind::Same, _) => return None,
            (Kind::Path, Some(path)) => format!("lacks the path {path} that the server advertises"),
            (Kind::TrailingSlash, _) => format!("differs from {right} in the slash at its end"),
            (Kind::Scheme, _) => format!("differs from {right} in the scheme"),
            (Kind::Port, _) => format!("differs from {right} in the port"),
            _ => format!("differs from the advertised {right} from character {} on", self.at + 1),
        })
    }
}

/// The registered URL and the advertised resource: as reported, else as a message names them.
#[must_use]
pub fn resource_pair(failure: &Failure<'_>) -> Option<Difference> {
    let reported = failure.known("resource_registered").zip(failure.known("resource_advertised"));
    let (registered, advertised) =
        reported.or_else(|| failure.known("message").and_then(|message| pair_in(&message)))?;
    Difference::of(("registered", registered), ("advertised", advertised))
}

/// Registered and advertised URL of a sentence that says which of its two URLs was expected. The client expects what is
/// registered, and meets what is advertised.
fn pair_in(message: &str) -> Option<(String, String)> {
    let (first, second) = first_two(message)?;
    let (before, rest) = message.split_once(first)?;
    let (between, _) = rest.split_once(second)?;
    let says_expected = |text: &str| text.to_ascii_lowercase().contains("expected");
    let (first, second) = (first.to_owned(), second.to_owned());
    match (says_expected(before), says_expected(between)) {
        (_, true) => Some((second, first)),
        (true, false) => Some((first, second)),
        (false, false) => None,
    }
}

/// The two URLs that a failure of this class is about.
#[must_use]
pub fn difference_of(failure: &Failure<'_>) -> Option<Difference> {
    let known = |column: &str| failure.known(column);
    match failure.class {
        Class::ResourceMismatch if failure.reason == Some("audience") => {
            let wanted = known("resource_advertised").or_else(|| known("server_url"))?;
            Difference::of(("audience", known("resource_audience")?), ("expected", wanted))
        }
        Class::ResourceMismatch => resource_pair(failure),
        Class::BaseUrlMisconfigured => resource_pair(failure).or_else(|| {
            let handed_out = ["resource_advertised", "www_authenticate_resource_metadata", "oauth_metadata_url"];
            let handed_out = handed_out.iter().find_map(|column| known(column))?;
            // What is handed out has a path of its own: only the part that a base URL has can be compared.
            let base = known("gateway_base_url")?;
            let path = url::Url::parse(&handed_out).ok()?.path().to_owned();
            let origin = handed_out.strip_suffix(&path)?.to_owned();
            Difference::of(("handed out", origin), ("base URL", base.trim_end_matches('/').to_owned()))
        }),
        Class::RedirectUriMismatch => {
            Difference::of(("sent", known("oauth_redirect_uri")?), ("expected", expected_callback(failure)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, difference_of, pair_in};
    use crate::classify::Class;
    use crate::classify::fix::Failure;
    use crate::event::Hop;

    fn of(left: &str, right: &str) -> Option<Difference> {
        Difference::of(("registered", left.to_owned()), ("advertised", right.to_owned()))
    }

    /// The parts that differ.
    fn parts(difference: &Difference) -> (String, String) {
        let part = |text: &str, length: usize| text.chars().skip(difference.at).take(length).collect();
        (part(&difference.left.1, difference.left_length), part(&difference.right.1, difference.right_length))
    }

    #[test]
    fn the_parts_that_differ_are_marked() {
        let cases = [
            ("https://a.example", "https://a.example/mcp", ("", "/mcp"), "lacks the path /mcp that"),
            ("https://a.example/", "https://a.example/mcp", ("", "mcp"), "lacks the path /mcp that"),
            ("https://a.example/mcp/", "https://a.example/mcp", ("/", ""), "in the slash at its end"),
            ("http://a.example/mcp", "https://a.example/mcp", ("", "s"), "in the scheme"),
            ("https://a.example:8443/mcp", "https://a.example/mcp", (":8443", ""), "in the port"),
            ("https://mpc.example/mcp", "https://mcp.example/mcp", ("pc", "cp"), "from character 10 on"),
            ("https://ä.example/v1", "https://ä.example/v2", ("1", "2"), "from character 20 on"),
        ];
        for (left, right, expected, sentence) in cases {
            let difference = of(left, right).expect("they differ");
            let (left_part, right_part) = parts(&difference);
            assert_eq!((left_part.as_str(), right_part.as_str()), expected, "{left} {right}");
            let said = difference.sentence().expect("a sentence");
            assert!(said.contains(sentence), "{said}");
        }
        for (left, right) in [("https://a.example", "https://A.example/"), ("urn:a", "https://a.example"), ("", "")] {
            assert_eq!(of(left, right), None, "{left} {right}");
        }
    }

    #[test]
    fn a_message_that_says_which_was_expected_names_the_pair() {
        let (registered, advertised) = ("https://a.example".to_owned(), "https://a.example/mcp".to_owned());
        for message in [
            "Protected resource https://a.example/mcp does not match expected https://a.example (or origin)",
            "expected resource https://a.example, the metadata has https://a.example/mcp",
        ] {
            assert_eq!(pair_in(message), Some((registered.clone(), advertised.clone())), "{message}");
        }
        assert_eq!(pair_in("https://a.example and https://b.example differ"), None);
    }

    #[test]
    fn each_class_compares_what_it_is_about() {
        type Pair = (&'static str, &'static str);
        type Case = (Class, Option<&'static str>, &'static [Pair], Option<Pair>);
        let cases: [Case; 5] = [
            (
                Class::ResourceMismatch,
                Some("audience"),
                &[("resource_audience", "https://x.example"), ("server_url", "https://a.example/mcp")],
                Some(("audience", "expected")),
            ),
            (
                Class::BaseUrlMisconfigured,
                None,
                &[
                    ("gateway_base_url", "https://gw.example"),
                    (
                        "www_authenticate_resource_metadata",
                        "http://gw.internal:8080/.well-known/oauth-protected-resource",
                    ),
                ],
                Some(("handed out", "base URL")),
            ),
            (
                Class::RedirectUriMismatch,
                None,
                &[
                    ("oauth_redirect_uri", "http://gw.example/oauth/upstream-callback"),
                    ("gateway_base_url", "https://gw.example"),
                    ("gateway_deployment", "self_hosted"),
                ],
                Some(("sent", "expected")),
            ),
            (Class::RedirectUriMismatch, None, &[("oauth_redirect_uri", "https://gw.example/cb")], None),
            (
                Class::RateLimited,
                None,
                &[("resource_registered", "https://a.example"), ("resource_advertised", "https://b.example")],
                None,
            ),
        ];
        for (class, reason, known, expected) in cases {
            let values =
                |column: &str| known.iter().find(|(key, _)| *key == column).map(|(_, value)| (*value).to_owned());
            let failure = Failure { class, reason, hop: Hop::Upstream, product: None, values: &values };
            let found = difference_of(&failure);
            assert_eq!(found.as_ref().map(|pair| (pair.left.0, pair.right.0)), expected, "{class:?}");
        }
    }
}
