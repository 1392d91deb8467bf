//! What the path of an inbound request names: the slug, and the workspace where the form has one.
//!
//! Forms (`…` is any tail): `/{slug}/mcp…`, `/{slug}/sse…`, `/mcp/{slug}…`, `/servers/{id}/mcp…`,
//! `/{workspace}/{slug}/mcp…`, and each of them behind a well-known document (RFC 8414 §3.1, RFC 9728 §3.1:
//! `/.well-known/oauth-protected-resource/{slug}/mcp`).

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathNames<'p> {
    /// The slug, or the server's id where the gateway routes by id.
    pub slug: &'p str,
    /// The segment before the slug, which may be a workspace: only the registry can tell.
    pub before: Option<&'p str>,
}

/// Last segments of an MCP endpoint.
const ENDPOINTS: [&str; 4] = ["mcp", "sse", "message", "messages"];

/// Segments that never are a workspace.
const PREFIXES: [&str; 6] = ["servers", "server", "api", "v1", "v2", "gateway"];

/// What `path` names, `None` when it has no known form.
#[must_use]
pub fn names_in(path: &str) -> Option<PathNames<'_>> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    if segments.next_if_eq(&".well-known").is_some() {
        segments.next();
    }
    let (mut before, mut last) = (None, None);
    let endpoint = segments.find(|segment| {
        let is_endpoint = ENDPOINTS.contains(segment);
        if !is_endpoint {
            (before, last) = (last, Some(*segment));
        }
        is_endpoint
    });
    endpoint?;
    let before = before.filter(|segment| !PREFIXES.contains(segment));
    let named = match last {
        Some(slug) => PathNames { slug, before },
        None => PathNames { slug: segments.next()?, before: None },
    };
    (!PREFIXES.contains(&named.slug)).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::{PathNames, names_in};

    #[test]
    fn forms_of_paths() {
        let named = |slug, before| Some(PathNames { slug, before });
        for (path, expected) in [
            ("/github/mcp", named("github", None)),
            ("/github/mcp/", named("github", None)),
            ("/github/sse?session=1", named("github", None)),
            ("/acme/github/mcp", named("github", Some("acme"))),
            ("/servers/3f1c/mcp", named("3f1c", None)),
            ("/mcp/github", named("github", None)),
            ("/mcp/github/tools", named("github", None)),
            ("/.well-known/oauth-protected-resource/github/mcp", named("github", None)),
            ("/mcp", None),
            ("/", None),
            ("", None),
            ("/oauth/callback", None),
            ("/v1/mcp", None),
        ] {
            assert_eq!(names_in(path), expected, "{path}");
        }
    }
}
