//! What the registry topic has told so far: servers by (workspace, slug), keys by id.
//!
//! A plain value without I/O: the pipeline feeds it records, enrichment asks it. Bounded by entries; past the bound new
//! entries are not taken and counted, so that a mistaken topic cannot fill the memory.

use rustc_hash::FxHashMap;

use crate::decode::registry::{Key, RegistryRecord, Server};

/// Most servers and most keys that are kept.
pub const ENTRIES: usize = 200_000;

/// Servers and keys that are registered.
#[derive(Debug, Default)]
pub struct Registry {
    /// Slug → workspace → server: the slug comes first, since a path names it without a workspace.
    servers: FxHashMap<String, FxHashMap<String, Server>>,
    keys: FxHashMap<String, Key>,
    server_count: usize,
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
        if self.server_count >= ENTRIES && self.server(&server.workspace, &server.slug).is_none() {
            self.refused += 1;
            return;
        }
        let workspaces = self.servers.entry(server.slug.clone()).or_default();
        if workspaces.insert(server.workspace.clone(), server).is_none() {
            self.server_count += 1;
        }
    }

    fn put_key(&mut self, key: Key) {
        if self.keys.len() >= ENTRIES && !self.keys.contains_key(&key.key_id) {
            self.refused += 1;
            return;
        }
        self.keys.insert(key.key_id.clone(), key);
    }

    fn delete(&mut self, record_key: &str) {
        if let Some(key_id) = record_key.strip_prefix("key/") {
            self.keys.remove(key_id);
        } else if let Some((workspace, slug)) = record_key.strip_prefix("server/").and_then(|rest| rest.split_once('/'))
            && let Some(workspaces) = self.servers.get_mut(slug)
        {
            self.server_count -= usize::from(workspaces.remove(workspace).is_some());
        }
    }

    /// The server registered under (workspace, slug).
    #[must_use]
    pub fn server(&self, workspace: &str, slug: &str) -> Option<&Server> {
        self.servers.get(slug)?.get(workspace)
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
    }
}
