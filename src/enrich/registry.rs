//! What the registry topic has told so far: servers by (workspace, slug), keys by id.
//!
//! A plain value without I/O: the pipeline feeds it records, enrichment asks it. Bounded by entries and bytes; past the
//! bounds new entries are not taken and counted, so that a mistaken topic cannot fill the memory.

use rustc_hash::FxHashMap;

use crate::decode::registry::{Key, RegistryRecord, Server};

/// Most servers and most keys that are kept.
pub const ENTRIES: usize = 200_000;

/// Most bytes of their texts: 600 of each, several times what an entry usually has.
pub const BYTES: usize = 240 << 20;

/// Servers and keys that are registered.
#[derive(Debug, Default)]
pub struct Registry {
    /// Slug → workspace → server: the slug comes first, since a path names it without a workspace.
    servers: FxHashMap<String, FxHashMap<String, Server>>,
    keys: FxHashMap<String, Key>,
    server_count: usize,
    bytes: usize,
    refused: u64,
}

impl Registry {
    /// Takes in one record.
    pub fn apply(&mut self, record: RegistryRecord) {
        match record {
            RegistryRecord::Server(server) => self.put_server(server),
            RegistryRecord::Key(key) => self.put_key(key),
            RegistryRecord::Deleted(record_key) => self.delete(&record_key),
        }
    }

    fn put_server(&mut self, server: Server) {
        let (bytes, known) = (bytes_of_server(&server), self.server(&server.workspace, &server.slug));
        let replaced = known.map_or(0, bytes_of_server);
        let is_new = known.is_none();
        if (is_new && self.server_count >= ENTRIES) || self.bytes + bytes > BYTES + replaced {
            self.refused += 1;
            return;
        }
        self.bytes = self.bytes + bytes - replaced;
        self.server_count += usize::from(is_new);
        self.servers.entry(server.slug.clone()).or_default().insert(server.workspace.clone(), server);
    }

    fn put_key(&mut self, key: Key) {
        let (bytes, known) = (bytes_of_key(&key), self.keys.get(&key.key_id));
        let replaced = known.map_or(0, bytes_of_key);
        if (known.is_none() && self.keys.len() >= ENTRIES) || self.bytes + bytes > BYTES + replaced {
            self.refused += 1;
            return;
        }
        self.bytes = self.bytes + bytes - replaced;
        self.keys.insert(key.key_id.clone(), key);
    }

    fn delete(&mut self, record_key: &str) {
        if let Some(key_id) = record_key.strip_prefix("key/") {
            self.bytes -= self.keys.remove(key_id).as_ref().map_or(0, bytes_of_key);
        } else if let Some((workspace, slug)) = record_key.strip_prefix("server/").and_then(|rest| rest.split_once('/'))
            && let Some(workspaces) = self.servers.get_mut(slug)
        {
            let removed = workspaces.remove(workspace);
            if workspaces.is_empty() {
                self.servers.remove(slug);
            }
            self.server_count -= usize::from(removed.is_some());
            self.bytes -= removed.as_ref().map_or(0, bytes_of_server);
        }
    }

    /// The server registered under (workspace, slug).
    #[must_use]
    pub fn server(&self, workspace: &str, slug: &str) -> Option<&Server> {
        self.servers.get(slug)?.get(workspace)
    }

    /// Whether some workspace has this slug.
    #[must_use]
    pub fn knows_slug(&self, slug: &str) -> bool {
        self.servers.get(slug).is_some_and(|workspaces| !workspaces.is_empty())
    }

    /// The one workspace that has this slug; `None` when none or several have it.
    #[must_use]
    pub fn only_workspace_of(&self, slug: &str) -> Option<&str> {
        let mut workspaces = self.servers.get(slug)?.keys();
        let only = workspaces.next()?;
        workspaces.next().is_none().then_some(only)
    }

    /// The key of this id.
    #[must_use]
    pub fn key(&self, key_id: &str) -> Option<&Key> {
        self.keys.get(key_id)
    }

    /// Servers and keys known, and records not taken because the bound was reached.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, u64) {
        (self.server_count, self.keys.len(), self.refused)
    }
}

/// Bytes of the texts of a server; its workspace and slug are there twice.
fn bytes_of_server(server: &Server) -> usize {
    let Server { workspace, slug, url, server_auth: _, issuer, scopes, config_version } = server;
    let optional = [url, issuer, scopes, config_version].into_iter().flatten().map(String::len).sum::<usize>();
    2 * (workspace.len() + slug.len()) + optional
}

fn bytes_of_key(key: &Key) -> usize {
    let Key { key_id, kind: _, workspace, permissions } = key;
    let permissions = permissions.iter().flatten().map(|name| name.len() + size_of::<String>()).sum::<usize>();
    2 * key_id.len() + workspace.as_ref().map_or(0, String::len) + permissions
}

#[cfg(test)]
mod tests {
    use super::Registry;
    use crate::decode::registry::{RegistryRecord, Server};

    fn server(workspace: &str, slug: &str) -> RegistryRecord {
        RegistryRecord::Server(Server {
            workspace: workspace.to_owned(),
            slug: slug.to_owned(),
            url: None,
            server_auth: None,
            issuer: None,
            scopes: None,
            config_version: None,
        })
    }

    #[test]
    fn a_slug_in_one_workspace_names_it_and_in_two_does_not() {
        let mut registry = Registry::default();
        registry.apply(server("acme", "wiki"));
        assert_eq!(registry.only_workspace_of("wiki"), Some("acme"));
        registry.apply(server("globex", "wiki"));
        assert_eq!(registry.only_workspace_of("wiki"), None);
        registry.apply(RegistryRecord::Deleted("server/acme/wiki".to_owned()));
        assert_eq!(registry.only_workspace_of("wiki"), Some("globex"));
        assert_eq!(registry.counts().0, 1);
        registry.apply(RegistryRecord::Deleted("server/globex/wiki".to_owned()));
        assert!(!registry.knows_slug("wiki"));
        assert_eq!((registry.counts(), registry.bytes), ((0, 0, 0), 0));
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_counted_and_what_replaces_is_weighed_anew() {
        let large = |workspace: &str, bytes: usize| {
            let mut record = server(workspace, "wiki");
            if let RegistryRecord::Server(server) = &mut record {
                server.url = Some("x".repeat(bytes));
            }
            record
        };
        let mut registry = Registry::default();
        registry.apply(large("acme", super::BYTES / 2));
        registry.apply(large("acme", super::BYTES / 4 * 3));
        assert_eq!(registry.counts(), (1, 0, 0));
        registry.apply(large("globex", super::BYTES / 2));
        assert_eq!(registry.counts(), (1, 0, 1));
        registry.apply(RegistryRecord::Deleted("server/acme/wiki".to_owned()));
        registry.apply(large("globex", super::BYTES / 2));
        assert_eq!(registry.counts(), (1, 0, 1));
    }
}
