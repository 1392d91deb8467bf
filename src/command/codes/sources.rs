//! Where a section of a specification is to be read: `RFC 6749 §5.2`, `MCP 2026-07-28 authorization #token-handling`.

/// A section and its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As people call it.
    pub section: String,
    /// Where it is.
    pub url: String,
}

/// The source that a text of `codes.d` names; `None` when it is none of the two forms.
#[must_use]
pub fn source_of(text: &str) -> Option<Source> {
    if let Some(rest) = text.strip_prefix("RFC ") {
        let (number, section) = rest.split_once(" §")?;
        let is_number = number.chars().all(|digit| digit.is_ascii_digit());
        let is_section = section.split('.').all(|part| part.chars().all(|digit| digit.is_ascii_digit()));
        let url = format!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}");
        return (is_number && is_section).then(|| Source { section: text.to_owned(), url });
    }
    let (revision, rest) = text.strip_prefix("MCP ")?.split_once(' ')?;
    let (page, heading) = match rest.split_once(" #") {
        Some((page, heading)) => (page, Some(heading)),
        None => (rest, None),
    };
    // Everything but the server's features stands below `basic`.
    let folder = if page.starts_with("server/") { "" } else { "basic/" };
    let anchor = heading.map(|heading| format!("#{heading}")).unwrap_or_default();
    let words = |slug: &str| slug.rsplit('/').next().unwrap_or(slug).replace('-', " ");
    let named = heading.map(|heading| format!(": {}", words(heading))).unwrap_or_default();
    Some(Source {
        section: format!("MCP {revision}, {}{named}", words(page)),
        url: format!("https://modelcontextprotocol.io/specification/{revision}/{folder}{page}{anchor}"),
    })
}

#[cfg(test)]
mod tests {
    use super::source_of;
    use crate::classify::codes::Codes;
    use crate::event::vocabulary::ClosedEnum;

    #[test]
    fn sections_have_addresses() {
        let found = |text: &str| source_of(text).map(|source| (source.section, source.url));
        let pair = |section: &str, url: &str| Some((section.to_owned(), url.to_owned()));
        assert_eq!(
            found("RFC 6749 §4.1.2.1"),
            pair("RFC 6749 §4.1.2.1", "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1")
        );
        assert_eq!(
            found("MCP 2026-07-28 authorization #token-handling"),
            pair(
                "MCP 2026-07-28, authorization: token handling",
                "https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#token-handling"
            )
        );
        assert_eq!(
            found("MCP 2025-11-25 server/tools #error-handling"),
            pair(
                "MCP 2025-11-25, tools: error handling",
                "https://modelcontextprotocol.io/specification/2025-11-25/server/tools#error-handling"
            )
        );
        for text in ["RFC 6749", "RFC 67x9 §1", "RFC 6749 §five", "OpenID Connect"] {
            assert_eq!(source_of(text), None, "{text}");
        }
    }

    #[test]
    fn every_source_has_an_address() {
        for (class, text) in Codes::embedded().all() {
            for source in &text.sources {
                assert!(source_of(source).is_some(), "{}: {source}", class.as_str());
            }
        }
    }
}
