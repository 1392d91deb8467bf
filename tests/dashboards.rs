//! The boards and rules agree with the program: metrics exist, variables and links resolve, everything is explained.
//!
//! Offline. The panels' SQL is expanded here; that it runs is seen on the real ClickHouse by the integration tests, and
//! that the rules fire is seen by `promtool test rules`.

#[cfg(test)]
#[path = "support/grafana_sql.rs"]
mod grafana_sql;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use gatetrail::classify::{Class, Confidence, Verdict, WhoActs};
    use gatetrail::event::{Event, Hop, Outcome};
    use gatetrail::telemetry::clock::Clock;
    use gatetrail::telemetry::{
        BatchCounts, HttpEventOutcome, MemoryKind, Metrics, Queue, ReconnectTracker, RecordOutcome, Role, Stage,
    };
    use regex::Regex;
    use serde_json::Value;

    use super::grafana_sql::{panel_queries, raw_queries};

    fn folder(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards").join(path)
    }

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_else(|reason| panic!("{}: {reason}", path.display()))
    }

    /// Every board with its file name.
    fn boards() -> Vec<(String, Value)> {
        let entries = std::fs::read_dir(folder("grafana/json")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let boards: Vec<_> = paths
            .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), text(&path).parse().unwrap()))
            .collect();
        assert!(!boards.is_empty());
        boards
    }

    /// A rule as it stands in the file: its name and its whole text.
    fn rules(file: &str, keyword: &str) -> Vec<(String, String)> {
        let text = text(&folder("prometheus").join(file));
        let opening = format!("      - {keyword}: ");
        text.split(&opening)
            .skip(1)
            .map(|rule| (rule.lines().next().unwrap().trim().to_owned(), rule.to_owned()))
            .collect()
    }

    /// Every name the program can expose: one of everything is counted, then the text is read back.
    fn exposed_names() -> BTreeSet<String> {
        let metrics = Metrics::new(Role::All, Clock);
        let verdict = |class| Verdict {
            class,
            reason: None,
            hop: Hop::Upstream,
            who_acts: WhoActs::EndUser,
            rule: "rule",
            confidence: Confidence::Certain,
            evidence: Vec::new(),
        };
        let now = Clock.now();
        let mut refresh = Event::new("id".into(), "source".into(), "mcp.auth.refresh".into(), now);
        refresh.slug = Some("github".into());
        refresh.outcome = Some(Outcome::Failure);
        refresh.redactions.push("bearer@message".to_owned());
        let mut counts = BatchCounts::default();
        counts.record(RecordOutcome::Accepted, now);
        counts.event(&refresh, &verdict(Class::RefreshFailure), &mut ReconnectTracker::new(1));
        counts.dead_letter("not_json");
        metrics.apply(&counts);
        metrics.set_lag("events", 0, 1);
        metrics.set_reconciliation(&"events".into(), 0, 0, 0);
        metrics.observe_stage(Stage::Insert, Duration::ZERO);
        metrics.observe_batch_rows(1);
        metrics.insert_retried("network");
        metrics.count_refused_registry_record("not_json");
        metrics.set_enrich_memory(MemoryKind::Flow, 1);
        metrics.queue_depth(Queue::Batches).set(1);
        metrics.observe_http_request("/v1/requests", 200, Duration::ZERO);
        metrics.add_http_events(HttpEventOutcome::Accepted, 1);

        let text = metrics.encode().unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
    }

    /// Names of metrics and recorded series in an expression.
    fn names_in(expression: &str) -> BTreeSet<String> {
        let names = Regex::new(r"\bgatetrail[_:][a-z0-9_:]+").unwrap();
        names.find_iter(expression).map(|found| found.as_str().to_owned()).collect()
    }

    #[test]
    fn the_exposed_names_are_the_fixed_ones() {
        let fixed = [
            "gatetrail_auth_failures_total",
            "gatetrail_auth_reconnects_total",
            "gatetrail_batch_rows_bucket",
            "gatetrail_batch_rows_count",
            "gatetrail_batch_rows_sum",
            "gatetrail_batch_seconds_bucket",
            "gatetrail_batch_seconds_count",
            "gatetrail_batch_seconds_sum",
            "gatetrail_build_info",
            "gatetrail_classified_total",
            "gatetrail_consume_records_total",
            "gatetrail_dead_letters_total",
            "gatetrail_enrich_asked_ids_total",
            "gatetrail_enrich_memory_bytes",
            "gatetrail_enrich_memory_entries",
            "gatetrail_http_request_seconds_bucket",
            "gatetrail_http_request_seconds_count",
            "gatetrail_http_request_seconds_sum",
            "gatetrail_http_requests_total",
            "gatetrail_ingest_flush_interval_seconds",
            "gatetrail_ingest_freshness_seconds",
            "gatetrail_ingest_http_events_total",
            "gatetrail_ingest_lag_records",
            "gatetrail_ingest_memory_bytes",
            "gatetrail_insert_retries_total",
            "gatetrail_queue_depth",
            "gatetrail_reconcile_checked_offsets_total",
            "gatetrail_reconcile_duplicate_rows",
            "gatetrail_reconcile_last_check_timestamp_seconds",
            "gatetrail_reconcile_lost_rows",
            "gatetrail_redactions_total",
            "gatetrail_registry_entries",
            "gatetrail_registry_refused_records_total",
            "gatetrail_stored_rows_total",
            "gatetrail_token_refreshes_total",
            "gatetrail_unclassified_total",
        ];
        assert_eq!(exposed_names(), fixed.map(str::to_owned).into());
    }

    #[test]
    fn every_metric_and_recorded_series_that_is_used_exists() {
        let exposed = exposed_names();
        let recording = rules("recording.yml", "record");
        let recorded: BTreeSet<String> = recording.iter().map(|(name, _)| name.clone()).collect();
        let mut expressions: Vec<(String, String)> = recording;
        expressions.extend(rules("alerts.yml", "alert"));
        for (_, board) in boards() {
            for (panel, target) in targets(&board) {
                expressions.extend(target["expr"].as_str().map(|expr| (panel.clone(), expr.to_owned())));
            }
        }
        let mut seen = 0;
        for (place, expression) in expressions {
            // `/d/gatetrail-overview` and prose hold no such name; a rule's own name is among the recorded ones.
            for name in names_in(&expression) {
                seen += 1;
                assert!(
                    exposed.contains(&name) || recorded.contains(&name),
                    "{place} uses {name}, which nothing exposes"
                );
            }
        }
        assert!(seen > 20, "the names are found at all: {seen}");
    }

    /// (title, target) of every query of the board's panels.
    fn targets(board: &Value) -> Vec<(String, &Value)> {
        let panels = board["panels"].as_array().unwrap();
        panels
            .iter()
            .flat_map(|panel| {
                let title = panel["title"].as_str().unwrap().to_owned();
                panel["targets"].as_array().into_iter().flatten().map(move |target| (title.clone(), target))
            })
            .collect()
    }

    #[test]
    fn boards_have_their_fixed_shape() {
        for (file, board) in boards() {
            assert_eq!(board["uid"], *file, "uid and file name agree");
            assert_eq!(board["schemaVersion"], 39, "{file}");
            assert!(board["id"].is_null(), "{file}: an id belongs to one Grafana only");
            let mut ids = BTreeSet::new();
            for panel in board["panels"].as_array().unwrap() {
                let title = panel["title"].as_str().unwrap();
                let description = panel["description"].as_str().unwrap_or_default();
                assert!(description.len() > 20, "{file}: {title} says what it shows");
                assert!(ids.insert(panel["id"].as_i64().unwrap()), "{file}: {title} shares its id");
                assert!(panel["type"] == "row" || !panel["targets"].as_array().unwrap().is_empty(), "{file}: {title}");
            }
            for (title, target) in targets(&board) {
                let kind = target["datasource"]["type"].as_str().unwrap();
                let (uid, query) = match kind {
                    "grafana-clickhouse-datasource" => ("${datasource}", "rawSql"),
                    "prometheus" => ("${prometheus}", "expr"),
                    other => panic!("{file}: {title} reads from {other}"),
                };
                assert_eq!(target["datasource"]["uid"], *uid, "{file}: {title}");
                assert!(target[query].as_str().is_some_and(|text| !text.is_empty()), "{file}: {title}");
            }
        }
    }

    #[test]
    fn panels_do_not_overlap() {
        for (file, board) in boards() {
            let mut taken = BTreeSet::new();
            for panel in board["panels"].as_array().unwrap() {
                let at = |side: &str| panel["gridPos"][side].as_i64().unwrap();
                assert!(at("x") + at("w") <= 24, "{file}: {} is too wide", panel["title"]);
                for x in at("x")..at("x") + at("w") {
                    for y in at("y")..at("y") + at("h") {
                        assert!(taken.insert((x, y)), "{file}: {} lies on another", panel["title"]);
                    }
                }
            }
        }
    }

    #[test]
    fn every_variable_that_is_used_is_declared_and_none_is_idle() {
        let used_form = Regex::new(r"\$\{([a-z]+)[:}]|\$([a-z]+)\b").unwrap();
        for (file, board) in boards() {
            let variables = board["templating"]["list"].as_array().unwrap();
            let declared: BTreeSet<&str> =
                variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
            let whole = board.to_string();
            let used: BTreeSet<&str> = used_form
                .captures_iter(&whole)
                .filter_map(|found| found.get(1).or_else(|| found.get(2)))
                .map(|name| name.as_str())
                .collect();
            assert_eq!(used, declared, "{file}");
            for variable in variables {
                assert!(variable["description"].as_str().is_some_and(|text| !text.is_empty()), "{file}: {variable}");
            }
        }
    }

    #[test]
    fn sources_and_paths_that_the_boards_rely_on_are_provisioned() {
        let sources = text(&folder("grafana/provisioning/datasources/gatetrail.yaml"));
        for (file, board) in boards() {
            let of_sources = board["templating"]["list"].as_array().unwrap().iter();
            for variable in of_sources.filter(|variable| variable["type"] == "datasource") {
                let uid = variable["current"]["value"].as_str().unwrap();
                assert!(sources.contains(&format!("uid: {uid}\n")), "{file}: {uid}");
                let kind = variable["query"].as_str().unwrap();
                assert!(sources.contains(&format!("type: {kind}\n")), "{file}: {kind}");
            }
        }
        assert!(text(&folder("grafana/provisioning/dashboards/gatetrail.yaml")).contains("path: "));
        let prometheus = text(&folder("prometheus/prometheus.yml"));
        for file in ["recording.yml", "alerts.yml"] {
            assert!(prometheus.contains(&format!("/{file}\n")) && folder("prometheus").join(file).exists(), "{file}");
        }
    }

    #[test]
    fn every_alert_says_what_why_and_where_to_look() {
        let uids: BTreeSet<String> = boards().into_iter().map(|(uid, _)| uid).collect();
        let link = Regex::new(r"dashboard_url: /d/([a-z-]+)").unwrap();
        let alerts = rules("alerts.yml", "alert");
        let tests = text(&folder("prometheus/alerts_test.yml")) + &text(&folder("prometheus/alerts_ingest_test.yml"));
        assert!(!alerts.is_empty());
        for (name, rule) in alerts {
            for key in ["summary: ", "likely_cause: ", "runbook_url: README.md#alerts\n", "severity: "] {
                assert!(rule.contains(key), "{name} has no {key}");
            }
            let uid = link.captures(&rule).unwrap_or_else(|| panic!("{name} links no board"))[1].to_owned();
            assert!(uids.contains(&uid), "{name} links {uid}");
            let checks = tests.split("alertname: ").skip(1).filter(|check| check.starts_with(&format!("{name}\n")));
            let (silent, firing): (Vec<&str>, Vec<&str>) = checks.partition(|check| check.contains("exp_alerts: []"));
            assert!(!silent.is_empty() && !firing.is_empty(), "{name} is tested firing and silent");
        }
    }

    #[test]
    fn the_sql_of_every_panel_expands_and_names_our_tables_only() {
        let table = Regex::new(r"(?i)\bFROM\s+([a-z_]+)").unwrap();
        let verdict = Regex::new(r"\b(class|class_hop|who_acts|reason|rule|confidence)\b").unwrap();
        for (file, board) in boards() {
            let queries = panel_queries(&board.to_string());
            assert_eq!(queries.len(), 2 * raw_queries(&board).len(), "{file}");
            assert!(queries.len() >= 2, "{file}");
            for (place, raw) in raw_queries(&board) {
                // ClickHouse reads a bare `time` in WHERE as the alias of the same name, which is the start of the point
                // in the series: the first point would lose what happened in it.
                assert!(!raw.contains("_ms(time)"), "{file}: {place} must say events.time");
            }
            for (place, sql) in queries {
                for found in table.captures_iter(&sql) {
                    assert!(
                        ["events", "classified_events", "dead_letters"].contains(&&found[1]),
                        "{file}: {place} reads {}",
                        &found[1]
                    );
                }
                assert!(sql.contains("fromUnixTimestamp64Milli"), "{file}: {place} is bounded in time");
                let looks_at_verdicts = verdict.is_match(&sql);
                assert_eq!(
                    sql.contains("classified_events"),
                    looks_at_verdicts,
                    "{file}: {place}: verdicts are those of the rules in force, and what asks for none does not pay for them"
                );
            }
        }
    }

    #[test]
    fn macros_expand_as_grafana_expands_them() {
        let board = r#"{"templating": {"list": []}, "panels": [{"title": "t", "targets": [{"rawSql":
            "SELECT $__timeInterval_ms(events.time) WHERE $__conditionalAll(f(slug, 1) IN (${slug:singlequote}), $slug) AND x"}]}]}"#;
        let expected = [
            (
                "panel t (All)",
                "SELECT toStartOfInterval(toDateTime64(events.time, 3), INTERVAL 60000 millisecond) WHERE 1=1 AND x",
            ),
            (
                "panel t (Two)",
                r"SELECT toStartOfInterval(toDateTime64(events.time, 3), INTERVAL 60000 millisecond) WHERE f(slug, 1) IN ('acme','o\'hara') AND x",
            ),
        ];
        assert_eq!(panel_queries(board), expected.map(|(place, sql)| (place.to_owned(), sql.to_owned())));
    }
}
