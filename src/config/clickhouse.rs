//! `[clickhouse]`: where it is, who asks, and which certificates are trusted.

use super::{Parser, Secret, TlsFiles};

/// `[clickhouse]`
#[derive(Debug, Clone)]
pub struct ClickHouse {
    /// HTTP or HTTPS address.
    pub url: String,
    /// Database; letters, digits and `_` only.
    pub database: String,
    /// User.
    pub user: String,
    /// Password, if one is set.
    pub password: Option<Secret>,
    /// Certificates, for an address that begins with `https`.
    pub tls: TlsFiles,
}

impl Parser<'_> {
    pub(super) fn clickhouse(&mut self) -> Option<ClickHouse> {
        let url = self.clickhouse_url("clickhouse.url");
        let (database, user) = (self.identifier("clickhouse.database"), self.text("clickhouse.user"));
        let password = self.optional("clickhouse.password").map(Secret::new);
        let has_tls = url.as_ref().is_none_or(|url| url.scheme() == "https");
        let tls = self.tls_files("clickhouse", has_tls, "clickhouse.url begins with https://");
        Some(ClickHouse { url: url?.to_string(), database: database?, user: user?, password, tls: tls? })
    }

    fn clickhouse_url(&mut self, path: &str) -> Option<url::Url> {
        let is_web = |url: &url::Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let Some(url) = self.text(path)?.parse::<url::Url>().ok().filter(is_web) else {
            self.fault(path, "an address such as http://127.0.0.1:8123 or https://clickhouse.example.com:8443");
            return None;
        };
        if url.username().is_empty() && url.password().is_none() {
            return Some(url);
        }
        // Not by `fault`, which would show the password.
        self.faults
            .push(format!("{path} holds a user or a password: clickhouse.user and clickhouse.password are for them"));
        None
    }
}
