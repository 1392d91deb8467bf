//! What the path of an inbound request names: the slug, and the segment before it, which may be a workspace.
//!
//! Gateways differ, so this reads forms and not products (`…` is any base path in front, or any tail):
//!
//! | form | of | certain |
//! |---|---|---|
//! | `…/{slug}/mcp…`, `/sse`, `/message`, `/messages`, `/streamable-http` | Portkey, LiteLLM, Kong, FastMCP mounts, agentgateway routes | yes |
//! | `…/{workspace}/{slug}/mcp…` | Portkey | yes, the workspace when the registry has the pair |
//! | `…/servers/{id}/mcp…`, `/gateways/{id}/…` | ContextForge | yes, by id |
//! | `…/mcp/{slug}…`, `/v1/mcp/server/{id}` | LiteLLM, Kong | yes |
//! | each of these behind or before a well-known document | RFC 8414 §3.1 and RFC 9728 §3.1 insert it, OpenID Connect Discovery §4 appends it | yes |
//! | `…/oauth/{verb}/{slug}`, `…/oauth/{slug}/{verb}`, `…/{slug}/oauth/{verb}`, `…/{slug}/{verb}` | sign-in legs | when registered, or an id |
//! | `…/servers/{slug}` and other collections | management APIs | when registered, or an id |
//!
//! Without a server: `/mcp`, `/sse`, `/mcp-rest/tools/call`, `/oauth/callback`, `/mcp/{a},{b}` (several servers at once).

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathNames<'p> {
    /// The slug, or the server's id where the gateway routes by id.
    pub slug: &'p str,
    /// The segment before the slug, which may be a workspace: only the registry can tell.
    pub before: Option<&'p str>,
    /// How far the form alone can be trusted.
    pub form: Form,
}

/// How a path names its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By its slug.
    Slug,
    /// By an id, which belongs there.
    Id,
    /// Perhaps: another kind of name can stand there as well, so only the registry can confirm it.
    Perhaps,
}

/// Deeper paths are not looked at.
const MOST_SEGMENTS: usize = 12;
/// Longest name taken from a path, in bytes; the bound of ids in the event contract.
const LONGEST_NAME: usize = 200;

/// Last segments of an MCP endpoint.
const ENDPOINTS: [&str; 5] = ["mcp", "sse", "message", "messages", "streamable-http"];
/// Endpoints that another endpoint may stand behind: `/github/mcp/messages`.
const OUTER_ENDPOINTS: [&str; 2] = ["mcp", "sse"];
/// Segments in front of a server's id.
const BY_ID: [&str; 4] = ["servers", "server", "gateways", "virtual-servers"];
/// Segments in front of one server of several, in management APIs.
const COLLECTIONS: [&str; 10] = [
    "servers",
    "server",
    "gateways",
    "virtual-servers",
    "adapters",
    "integrations",
    "mcp-servers",
    "mcp-integrations",
    "mcp-connect",
    "mcp_servers",
];
/// Segments of the gateway's own structure: neither a slug nor a workspace, wherever they stand.
const STRUCTURE: [&str; 12] =
    ["api", "gateway", "v1", "v2", "v3", "mcp", "sse", "mcp-rest", "metamcp", "oauth", "oauth2", "auth"];
/// Pages and calls of gateways. A server may be called so, so they count as such only where no `/mcp` follows.
const PAGES: [&str; 18] = [
    "access_groups",
    "admin",
    "call",
    "docs",
    "health",
    "healthz",
    "list",
    "login",
    "metrics",
    "openapi.json",
    "prompts",
    "ready",
    "readyz",
    "realms",
    "resources",
    "static",
    "tools",
    "ui",
];
/// Segments around a sign-in.
const OAUTH: [&str; 3] = ["oauth", "oauth2", "auth"];
/// Legs of a sign-in.
const VERBS: [&str; 15] = [
    "authorize",
    "token",
    "register",
    "callback",
    "upstream-callback",
    "oauth-callback",
    "revoke",
    "introspect",
    "consent",
    "connect",
    "disconnect",
    "status",
    "start",
    "login",
    "fetch-tools",
];
/// Well-known documents about an MCP server or its authorization server.
const DOCUMENTS: [&str; 3] = ["oauth-protected-resource", "oauth-authorization-server", "openid-configuration"];

/// What `path` names, `None` when it has no known form.
#[must_use]
pub fn names_in(path: &str) -> Option<PathNames<'_>> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let (mut held, mut count) = ([""; MOST_SEGMENTS], 0);
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        *held.get_mut(count)? = segment;
        count += 1;
    }
    let segments = &held[..count];
    match segments.iter().position(|segment| *segment == ".well-known") {
        Some(place) => well_known(&segments[..place], &segments[place + 1..]),
        None => endpoint(segments).or_else(|| sign_in(segments)).or_else(|| collection(segments)),
    }
}

/// Whether a name is a UUID, with hyphens (RFC 9562 §4) or without.
#[must_use]
pub fn is_uuid(name: &str) -> bool {
    let is_hex = |digit: u8| digit.is_ascii_hexdigit();
    match name.len() {
        32 => name.bytes().all(is_hex),
        36 => name.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => is_hex(byte),
        }),
        _ => false,
    }
}

/// A document stands before the path of what it is about, or behind it.
fn well_known<'p>(in_front: &[&'p str], behind: &[&'p str]) -> Option<PathNames<'p>> {
    let (document, resource) = behind.split_first()?;
    if !DOCUMENTS.contains(document) {
        return None;
    }
    let about = if resource.is_empty() { in_front } else { resource };
    endpoint(about).or_else(|| match about {
        [slug] => named(slug, None, Form::Slug),
        [before, slug] => named(slug, Some(before), by_container(before)),
        _ => None,
    })
}

/// The path of an MCP endpoint.
fn endpoint<'p>(segments: &[&'p str]) -> Option<PathNames<'p>> {
    let place = segments.iter().rposition(|segment| ENDPOINTS.contains(segment))?;
    let (in_front, behind) = (&segments[..place], &segments[place + 1..]);
    match in_front {
        [.., outer] if OUTER_ENDPOINTS.contains(outer) => endpoint(in_front),
        [.., before, slug] if is_name(slug) => Some(names(slug, Some(before), by_container(before))),
        [slug] if is_name(slug) => Some(names(slug, None, Form::Slug)),
        _ if segments[place] != "mcp" => None,
        _ => match behind {
            [container, id, ..] if BY_ID.contains(container) => named(id, None, Form::Id),
            [slug, ..] => named(slug, None, Form::Slug),
            [] => None,
        },
    }
}

/// A leg of a sign-in.
fn sign_in<'p>(segments: &[&'p str]) -> Option<PathNames<'p>> {
    let (is_oauth, is_verb) = (|word: &str| OAUTH.contains(&word), |word: &str| VERBS.contains(&word));
    let (slug, before) = match *segments {
        [.., around, verb, slug] if is_oauth(around) && is_verb(verb) => (slug, None),
        [.., around, slug, verb] if is_oauth(around) && is_verb(verb) => (slug, None),
        [.., before, slug, around, verb] if is_oauth(around) && is_verb(verb) => (slug, Some(before)),
        [slug, around, verb] if is_oauth(around) && is_verb(verb) => (slug, None),
        [.., before, slug, verb] if is_verb(verb) => (slug, Some(before)),
        [slug, verb] if is_verb(verb) => (slug, None),
        _ => return None,
    };
    perhaps(slug, before)
}

/// One of a collection.
fn collection<'p>(segments: &[&'p str]) -> Option<PathNames<'p>> {
    match *segments {
        [.., container, slug] if COLLECTIONS.contains(&container) => perhaps(slug, None),
        _ => None,
    }
}

fn by_container(before: &str) -> Form {
    if BY_ID.contains(&before) { Form::Id } else { Form::Slug }
}

/// A name that only the registry can confirm; an id speaks for itself.
fn perhaps<'p>(slug: &'p str, before: Option<&'p str>) -> Option<PathNames<'p>> {
    named(slug, before, if is_uuid(slug) { Form::Id } else { Form::Perhaps })
}

/// The names, where the last segment of a form is no page or call.
fn named<'p>(slug: &'p str, before: Option<&'p str>, form: Form) -> Option<PathNames<'p>> {
    let is_free = is_name(slug) && !PAGES.contains(&slug) && !VERBS.contains(&slug);
    is_free.then(|| names(slug, before, form))
}

fn names<'p>(slug: &'p str, before: Option<&'p str>, form: Form) -> PathNames<'p> {
    PathNames { slug, before: before.filter(|segment| is_name(segment)), form }
}

/// Whether a segment can be the name of one server or workspace.
fn is_name(segment: &str) -> bool {
    let is_taken = STRUCTURE.contains(&segment) || COLLECTIONS.contains(&segment);
    !is_taken && segment.len() <= LONGEST_NAME && !segment.contains([',', '{', '}'])
}

#[cfg(test)]
mod tests {
    use super::{Form, PathNames, is_uuid, names_in};

    const ID: &str = "566bba1540424098a74048793eecba8f";

    #[test]
    fn forms_of_paths() {
        let named = |slug, before, form| Some(PathNames { slug, before, form });
        let slug = |slug| named(slug, None, Form::Slug);
        let in_workspace = |slug, before| named(slug, Some(before), Form::Slug);
        let by_id = |slug| named(slug, None, Form::Id);
        let perhaps = |slug| named(slug, None, Form::Perhaps);
        for (path, expected) in [
            // one server behind its slug
            ("/github/mcp", slug("github")),
            ("/github/mcp/", slug("github")),
            ("//github//mcp", slug("github")),
            ("/github/sse?session=1", slug("github")),
            ("/github/mcp/messages", slug("github")),
            ("/github/sse/messages/", slug("github")),
            ("/github/mcp/tools/call", slug("github")),
            ("/github/streamable-http", slug("github")),
            ("/messages/mcp", slug("messages")),
            ("/v1/github/mcp", slug("github")),
            ("/docs/mcp", slug("docs")),
            // with a workspace, and with base paths
            ("/acme/github/mcp", in_workspace("github", "acme")),
            ("/base/acme/github/mcp", in_workspace("github", "acme")),
            ("/adapters/github/mcp", slug("github")),
            ("/metamcp/github/sse", slug("github")),
            // by id
            ("/servers/3f1c/mcp", by_id("3f1c")),
            ("/base/servers/3f1c/sse", by_id("3f1c")),
            ("/servers/3f1c/message", by_id("3f1c")),
            ("/v1/mcp/server/3f1c", by_id("3f1c")),
            // behind `mcp`
            ("/mcp/github", slug("github")),
            ("/mcp/github/tools", slug("github")),
            ("/v1/mcp/github", slug("github")),
            ("/mcp/github/mcp", slug("github")),
            // well-known documents: inserted, appended, behind a base path
            ("/.well-known/oauth-protected-resource/github/mcp", slug("github")),
            ("/.well-known/oauth-protected-resource/acme/github/mcp", in_workspace("github", "acme")),
            ("/.well-known/oauth-protected-resource/mcp/github", slug("github")),
            ("/.well-known/oauth-protected-resource/servers/3f1c/mcp", by_id("3f1c")),
            ("/base/.well-known/oauth-protected-resource/github/mcp", slug("github")),
            ("/.well-known/oauth-authorization-server/github", slug("github")),
            ("/.well-known/openid-configuration/acme/github", in_workspace("github", "acme")),
            ("/github/mcp/.well-known/oauth-protected-resource", slug("github")),
            ("/github/.well-known/openid-configuration", slug("github")),
            ("/acme/github/.well-known/oauth-authorization-server", in_workspace("github", "acme")),
            // legs of a sign-in
            ("/github/mcp/authorize", slug("github")),
            ("/oauth/callback/github", perhaps("github")),
            ("/oauth/github/callback", perhaps("github")),
            ("/github/oauth/callback", perhaps("github")),
            ("/acme/github/oauth/token", named("github", Some("acme"), Form::Perhaps)),
            ("/github/authorize", perhaps("github")),
            ("/oauth/authorize/566bba1540424098a74048793eecba8f", by_id(ID)),
            // collections
            ("/v1/mcp-integrations/github", perhaps("github")),
            ("/servers/566bba1540424098a74048793eecba8f", by_id(ID)),
            // no server, or several
            ("/mcp", None),
            ("/sse", None),
            ("/messages/", None),
            ("/mcp/sse", None),
            ("/mcp/messages", None),
            ("/", None),
            ("", None),
            ("/v1/mcp", None),
            ("/gateway/mcp", None),
            ("/mcp/github,jira", None),
            ("/mcp/tools/list", None),
            ("/mcp-rest/tools/call", None),
            ("/oauth/callback", None),
            ("/oauth/upstream-callback", None),
            ("/oauth/token", None),
            ("/oauth2/authorize", None),
            ("/authorize", None),
            ("/v1/mcp-integrations", None),
            ("/.well-known/oauth-protected-resource", None),
            ("/.well-known/oauth-protected-resource/mcp", None),
            ("/.well-known/oauth-authorization-server/oauth", None),
            ("/.well-known/jwks.json", None),
            ("/.well-known", None),
            ("/{mcp_server_name}/mcp", None),
            ("/1/2/3/4/5/6/7/8/9/10/11/github/mcp", None),
        ] {
            assert_eq!(names_in(path), expected, "{path}");
        }
        assert_eq!(names_in(&format!("/{}/mcp", "x".repeat(201))), None);
    }

    #[test]
    fn uuids_with_and_without_hyphens() {
        for (name, expected) in [
            (ID, true),
            ("566BBA15-4042-4098-a740-48793eecba8f", true),
            ("566bba1540424098a74048793eecba8", false),
            ("566bba15-4042-4098-a74048793-eecba8f", false),
            ("github", false),
            ("zzzbba1540424098a74048793eecba8f", false),
        ] {
            assert_eq!(is_uuid(name), expected, "{name}");
        }
    }
}
