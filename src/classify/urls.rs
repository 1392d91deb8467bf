//! How two URLs differ, and which hosts only answer inside a network.
//!
//! Registered URL against advertised `resource` (RFC 9728 §3.3), configured base URL against what a gateway hands out.

use std::net::IpAddr;

use url::{Host, Url};

/// The first thing in which two URLs differ, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Nothing but case of the host or a default port.
    Same,
    /// Same path, one of the hosts is internal.
    InternalHost,
    /// Same path and host name, other scheme (and perhaps port).
    Scheme,
    /// Same path, scheme and host name, other port.
    Port,
    /// Same path, two public hosts.
    Host,
    /// Only a trailing slash.
    TrailingSlash,
    /// Same origin, other path.
    Path,
    /// Origin and path both differ.
    Both,
}

impl Difference {
    /// Every difference with its spelling in rules.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("same", Self::Same),
        ("internal_host", Self::InternalHost),
        ("scheme", Self::Scheme),
        ("port", Self::Port),
        ("host", Self::Host),
        ("trailing_slash", Self::TrailingSlash),
        ("path", Self::Path),
        ("both", Self::Both),
    ];

    /// The difference with this spelling.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, difference)| *difference)
    }
}

/// Compares two absolute URLs; `None` when either is none, or is not http or https. Query and fragment are ignored.
#[must_use]
pub fn compare(left: &str, right: &str) -> Option<Difference> {
    let (left, right) = (web_url(left)?, web_url(right)?);
    let same_host = left.host_str() == right.host_str();
    let same_origin = left.origin() == right.origin();
    let bare = |url: &Url| url.path().trim_end_matches('/').to_owned();
    if bare(&left) != bare(&right) {
        return Some(if same_origin { Difference::Path } else { Difference::Both });
    }
    if same_origin {
        return Some(if left.path() == right.path() { Difference::Same } else { Difference::TrailingSlash });
    }
    if !same_host {
        let internal = is_internal(&left) != is_internal(&right);
        return Some(if internal { Difference::InternalHost } else { Difference::Host });
    }
    Some(if left.scheme() == right.scheme() { Difference::Port } else { Difference::Scheme })
}

/// Whether the URL's host cannot be reached from outside: loopback, private addresses, single labels, cluster names.
#[must_use]
pub fn has_internal_host(text: &str) -> bool {
    web_url(text).is_some_and(|url| is_internal(&url))
}

/// The first two http(s) URLs that stand in a text.
#[must_use]
pub fn first_two(text: &str) -> Option<(&str, &str)> {
    let mut found = text.match_indices("http").filter_map(|(start, _)| url_at(text, start));
    Some((found.next()?, found.next()?))
}

/// The URL that begins at `start`, up to what cannot belong to one.
fn url_at(text: &str, start: usize) -> Option<&str> {
    let rest = text.get(start..)?;
    if !(rest.starts_with("http://") || rest.starts_with("https://")) {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>(){}|\\,;".contains(c)).unwrap_or(rest.len());
    let url = rest.get(..end)?.trim_end_matches(['.', ':', '!', '?']);
    (url.len() > "https://".len()).then_some(url)
}

fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (url.has_host() && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// Suffixes that never resolve outside: RFC 6762 `.local`, RFC 6761 `.localhost`, ICANN's `.internal`, Kubernetes names.
const INTERNAL_SUFFIXES: &[&str] =
    &[".local", ".localhost", ".internal", ".svc", ".cluster.local", ".lan", ".intranet", ".home.arpa"];

fn is_internal(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !name.contains('.') || INTERNAL_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        }
        Some(Host::Ipv4(address)) => is_internal_address(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_internal_address(IpAddr::V6(address)),
        None => false,
    }
}

fn is_internal_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => four.is_loopback() || four.is_private() || four.is_link_local() || four.is_unspecified(),
        IpAddr::V6(six) => {
            six.is_loopback() || six.is_unspecified() || six.is_unique_local() || six.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, compare, first_two, has_internal_host};

    #[test]
    fn the_most_telling_difference_is_named() {
        let cases = [
            ("https://a.example/mcp", "https://A.example:443/mcp", Difference::Same),
            ("https://a.example/mcp", "https://a.example/mcp/", Difference::TrailingSlash),
            ("https://a.example", "https://a.example/", Difference::Same),
            ("https://a.example/mcp", "http://a.example/mcp", Difference::Scheme),
            ("https://a.example/mcp", "https://a.example:8443/mcp", Difference::Port),
            ("https://a.example/mcp", "http://gateway.default.svc.cluster.local:8080/mcp", Difference::InternalHost),
            ("https://a.example/mcp", "http://10.1.2.3:8080/mcp", Difference::InternalHost),
            ("https://a.example/mcp", "https://b.example/mcp", Difference::Host),
            ("https://a.example", "https://a.example/mcp", Difference::Path),
            ("https://a.example/v1", "https://b.example/mcp", Difference::Both),
        ];
        for (left, right, expected) in cases {
            assert_eq!(compare(left, right), Some(expected), "{left} against {right}");
        }
    }

    #[test]
    fn what_is_no_web_url_has_no_difference() {
        for text in ["", "a.example/mcp", "urn:resource:1", "https://"] {
            assert_eq!(compare(text, "https://a.example"), None, "{text}");
        }
    }

    #[test]
    fn internal_hosts_are_known_by_their_shape() {
        for internal in
            ["http://localhost:3000", "http://gateway:8080/x", "http://172.16.0.9", "http://[::1]/", "http://gw.svc"]
        {
            assert!(has_internal_host(internal), "{internal}");
        }
        for public in ["https://a.example", "https://8.8.8.8/", "https://local.example"] {
            assert!(!has_internal_host(public), "{public}");
        }
    }

    #[test]
    fn urls_are_found_in_a_text_without_their_punctuation() {
        let text = "wanted 'https://a.example/mcp', got (http://b.example/x).";
        assert_eq!(first_two(text), Some(("https://a.example/mcp", "http://b.example/x")));
        assert_eq!(first_two("only https://a.example here"), None);
    }
}
