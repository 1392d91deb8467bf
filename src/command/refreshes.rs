//! `gatetrail refreshes`: the ledger of token refreshes, for a person or as JSON.
//!
//! The JSON is the object of `GET /v1/token-refreshes`.

use std::io::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use clickhouse::Client;
use comfy_table::{Cell, Color};

use super::Exit;
use super::terminal::{OutputStyle, printable};
use crate::query::{List, Page, Paged, QueryError, RefreshFilter, TokenRefresh, parse_time, token_refreshes};

/// Arguments of `gatetrail refreshes`.
#[derive(Debug, Default, Args)]
pub struct RefreshesArgs {
    /// Only this workspace
    #[arg(long)]
    pub workspace: Option<String>,
    /// Only this server
    #[arg(long)]
    pub slug: Option<String>,
    /// Only this user
    #[arg(long, alias = "user-id", value_name = "USER_ID")]
    pub user: Option<String>,
    /// Only this connection
    #[arg(long, alias = "connection-id", value_name = "CONNECTION_ID")]
    pub connection: Option<String>,
    /// Only attempts that ended so: success, failure, …
    #[arg(long)]
    pub outcome: Option<String>,
    /// From this time on: RFC 3339, or back from now (-30m, -2h, -7d) [default: -30d]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Before this time [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// Most attempts to print, 1 to 1000 [default: 50]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub limit: Option<String>,
    /// Where the page before ended (its next_cursor)
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    pub cursor: Option<String>,
    /// Print the same object as GET /v1/token-refreshes
    #[arg(long)]
    pub json: bool,
}

impl RefreshesArgs {
    fn filter(&self, now: DateTime<Utc>) -> Result<RefreshFilter, QueryError> {
        let time = |name: &'static str, text: &Option<String>| {
            text.as_deref().map(|text| parse_time(name, text, now)).transpose()
        };
        Ok(RefreshFilter {
            workspace: self.workspace.clone(),
            slug: self.slug.clone(),
            user_id: self.user.clone(),
            connection_id: self.connection.clone(),
            outcome: self.outcome.clone(),
            from: time("from", &self.from)?,
            to: time("to", &self.to)?,
        })
    }
}

/// Prints the attempts that the arguments ask for, newest first.
///
/// # Errors
/// An argument that cannot be read, what keeps the store from answering ([`QueryError`]), or the output from being
/// written.
pub async fn run(
    args: &RefreshesArgs,
    client: &Client,
    now: DateTime<Utc>,
    out: &mut impl Write,
    style: OutputStyle,
) -> anyhow::Result<Exit> {
    let filter = args.filter(now)?;
    let page = Page::parse(List::TokenRefreshes, args.limit.as_deref(), args.cursor.as_deref())?;
    let found = token_refreshes(client, &filter, &page, now).await?;
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &found)?;
        writeln!(out)?;
    } else {
        write_ledger(out, &found, style)?;
    }
    Ok(Exit::Ok)
}

fn write_ledger(out: &mut impl Write, found: &Paged<TokenRefresh>, style: OutputStyle) -> std::io::Result<()> {
    if found.items.is_empty() {
        return writeln!(out, "no refresh was reported");
    }
    let header = [
        "time",
        "workspace",
        "slug",
        "user",
        "outcome",
        "class",
        "trigger",
        "try",
        "error",
        "token → new",
        "lives",
        "age",
        "took",
        "request",
    ];
    let mut table = style.table(&header);
    for refresh in &found.items {
        let colour = if refresh.class == "none" { Color::Green } else { Color::Red };
        let text = |value: &Option<String>| Cell::new(value.as_deref().map(printable).unwrap_or_default());
        let seconds = |value: Option<i64>| Cell::new(value.map(|seconds| format!("{seconds} s")).unwrap_or_default());
        let class = if refresh.class == "none" { String::new() } else { class_and_reason(refresh) };
        table.add_row([
            Cell::new(refresh.time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            text(&refresh.workspace),
            text(&refresh.slug),
            text(&refresh.user_id),
            Cell::new(&refresh.outcome).fg(colour),
            Cell::new(class),
            text(&refresh.trigger),
            Cell::new(refresh.attempt.map(|attempt| attempt.to_string()).unwrap_or_default()),
            text(&refresh.oauth_error),
            Cell::new(lineage(refresh)),
            seconds(refresh.expires_in),
            seconds(refresh.age_s),
            Cell::new(refresh.duration_ms.map(|duration| format!("{duration:.0} ms")).unwrap_or_default()),
            text(&refresh.request_id),
        ]);
    }
    writeln!(out, "{table}")?;
    match &found.next_cursor {
        Some(cursor) => writeln!(out, "more: --cursor {cursor}"),
        None => Ok(()),
    }
}

fn class_and_reason(refresh: &TokenRefresh) -> String {
    let reason = refresh.reason.as_deref().map(|reason| format!(" / {}", printable(reason)));
    format!("{}{}", refresh.class, reason.unwrap_or_default())
}

/// Which token was given for which: the first digits of both keyed hashes.
fn lineage(refresh: &TokenRefresh) -> String {
    let short = |fingerprint: &str| {
        let digits = fingerprint.rsplit(':').next().unwrap_or(fingerprint);
        printable(&digits.chars().take(8).collect::<String>())
    };
    match (refresh.fingerprint.as_deref().map(short), refresh.new_fingerprint.as_deref().map(short)) {
        (None, None) => String::new(),
        (Some(old), None) => old,
        (old, Some(new)) => format!("{} → {new}", old.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::{OutputStyle, RefreshesArgs, write_ledger};
    use crate::query::{Paged, TokenRefresh};

    #[test]
    fn a_fault_in_an_argument_has_its_code() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let args = RefreshesArgs { from: Some("last tuesday".into()), ..Default::default() };
        assert_eq!(args.filter(now).unwrap_err().code(), "bad_time");
        let args = RefreshesArgs { from: Some("-2h".into()), ..Default::default() };
        assert_eq!(args.filter(now).unwrap().from.unwrap().to_rfc3339(), "2026-11-22T08:00:00+00:00");
    }

    #[test]
    fn the_ledger_for_a_terminal() {
        let row = serde_json::json!({
            "event_id": "e", "source": "//gateway/a", "type": "mcp.auth.refresh", "time": "2026-11-22T10:00:00.123456Z",
            "hop": "upstream", "outcome": "failure", "class": "refresh_failure", "reason": "expired", "class_hop": "upstream",
            "who_acts": "end_user", "rule": "r", "confidence": "certain", "workspace": "acme", "slug": "github",
            "token_fingerprint": "hmac-sha256:9f00aa11bb22cc33", "token_age_s": 86400, "token_trigger": "on_demand",
            "token_attempt": 2, "oauth_error": "invalid_grant", "duration_ms": 182.4, "request_id": "r1",
        });
        let refresh = TokenRefresh::of(&serde_json::from_value(row).unwrap());
        let mut out = Vec::new();
        write_ledger(&mut out, &Paged { items: vec![refresh], next_cursor: Some("c".into()) }, OutputStyle::Plain)
            .unwrap();
        let lines: Vec<String> =
            String::from_utf8(out).unwrap().lines().map(|line| line.trim_end().to_owned()).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
