//! The exposed text after known batches: names, values, the cap, roles.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Metrics, Role};
use crate::classify::{Class, Confidence, Verdict, WhoActs};
use crate::event::{Event, Hop, Initiator, Outcome, TokenTrigger};
use crate::telemetry::clock::Clock;
use crate::telemetry::{BatchCounts, HttpEventOutcome, Queue, ReconnectTracker, RecordOutcome, Stage};

fn verdict(class: Class, reason: Option<&'static str>) -> Verdict<'static, 'static> {
    Verdict {
        class,
        reason,
        hop: Hop::Upstream,
        who_acts: WhoActs::EndUser,
        rule: "r",
        confidence: Confidence::Certain,
        evidence: Vec::new(),
    }
}

fn event(type_name: &'static str, slug: Option<&'static str>) -> Event<'static> {
    let mut event = Event::new("e".into(), "s".into(), type_name.into(), DateTime::UNIX_EPOCH);
    event.slug = slug.map(Into::into);
    event.outcome = Some(Outcome::Failure);
    event
}

/// The value of one series, named as it is exposed.
fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.encode().unwrap();
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn applied(fill: impl FnOnce(&mut BatchCounts, &mut ReconnectTracker)) -> Metrics {
    let metrics = Metrics::new(Role::All, Clock);
    let mut counts = BatchCounts::default();
    fill(&mut counts, &mut ReconnectTracker::new(100));
    metrics.apply(&counts);
    metrics
}

#[test]
fn a_batch_is_counted_by_class_slug_and_outcome() {
    let metrics = applied(|counts, tracker| {
        let mut refresh = event("mcp.auth.refresh", Some("github"));
        refresh.token_trigger = Some(TokenTrigger::OnDemand);
        refresh.redactions = vec!["bearer@message".into(), "jwt@message".into(), "bearer@user_agent".into()];
        counts.event(&refresh, &verdict(Class::RefreshFailure, None), tracker);
        counts.event(&event("mcp.call.completed", Some("github")), &verdict(Class::None, None), tracker);
        counts.event(&event("mcp.call.completed", None), &verdict(Class::Unclassified, None), tracker);
        counts.dead_letter("not_json");
        counts.record(RecordOutcome::Accepted, DateTime::UNIX_EPOCH);
        counts.record(RecordOutcome::Refused, DateTime::UNIX_EPOCH);
    });
    let expected = [
        (r#"gatetrail_consume_records_total{outcome="accepted"}"#, 1.0),
        (r#"gatetrail_consume_records_total{outcome="refused"}"#, 1.0),
        (r#"gatetrail_consume_records_total{outcome="dropped"}"#, 0.0),
        (r#"gatetrail_stored_rows_total{table="events"}"#, 3.0),
        (r#"gatetrail_stored_rows_total{table="dead_letters"}"#, 1.0),
        (r#"gatetrail_dead_letters_total{code="not_json"}"#, 1.0),
        (r#"gatetrail_classified_total{class="refresh_failure",hop="upstream"}"#, 1.0),
        ("gatetrail_unclassified_total", 1.0),
        (r#"gatetrail_auth_failures_total{class="refresh_failure",hop="upstream",slug="github"}"#, 1.0),
        (r#"gatetrail_auth_failures_total{class="unclassified",hop="upstream",slug="__unknown__"}"#, 1.0),
        (r#"gatetrail_token_refreshes_total{outcome="failure",trigger="on_demand",slug="github"}"#, 1.0),
        (r#"gatetrail_auth_reconnects_total{slug="github"}"#, 0.0),
        (r#"gatetrail_redactions_total{kind="bearer"}"#, 2.0),
        (r#"gatetrail_redactions_total{kind="jwt"}"#, 1.0),
        (r#"gatetrail_build_info{version="0.1.0"}"#, 1.0),
    ];
    for (series, number) in expected {
        assert_eq!(value(&metrics, series), Some(number), "{series}\n{}", metrics.encode().unwrap());
    }
}

#[test]
fn probes_opening_challenges_and_tool_errors_are_classified_but_are_no_auth_failures() {
    let metrics = applied(|counts, tracker| {
        let mut probe = event("mcp.request.rejected", Some("github"));
        probe.initiator = Some(Initiator::HealthCheck);
        let plain = event("mcp.request.rejected", Some("github"));
        counts.event(&probe, &verdict(Class::SignInRequired, None), tracker);
        counts.event(&plain, &verdict(Class::SignInRequired, Some("challenge_only")), tracker);
        counts.event(&plain, &verdict(Class::ToolError, None), tracker);
    });
    assert_eq!(value(&metrics, r#"gatetrail_classified_total{class="sign_in_required",hop="upstream"}"#), Some(2.0));
    assert!(!metrics.encode().unwrap().contains("gatetrail_auth_failures_total{"));
}

#[test]
fn slugs_are_capped_and_a_search_for_a_server_that_is_not_there_takes_no_place() {
    let metrics = applied(|counts, tracker| {
        for number in 0..500 {
            let slug: &'static str = format!("guess-{number}").leak();
            counts.event(&event("mcp.request.rejected", Some(slug)), &verdict(Class::ServerNotFound, None), tracker);
        }
        counts.event(&event("mcp.request.rejected", Some("real")), &verdict(Class::Forbidden, None), tracker);
    });
    let guesses = r#"gatetrail_auth_failures_total{class="server_not_found",hop="upstream",slug="__other__"}"#;
    assert_eq!(value(&metrics, guesses), Some(500.0));
    assert_eq!(value(&metrics, r#"gatetrail_auth_reconnects_total{slug="real"}"#), Some(0.0));

    let mut many = BatchCounts::default();
    for number in 0..500 {
        let slug: &'static str = format!("server-{number}").leak();
        many.event(
            &event("mcp.request.rejected", Some(slug)),
            &verdict(Class::Forbidden, None),
            &mut ReconnectTracker::new(1),
        );
    }
    metrics.apply(&many);
    let text = metrics.encode().unwrap();
    let slugs: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("gatetrail_auth_reconnects_total{slug=\"")).collect();
    assert_eq!(slugs.len(), 201, "200 names and __other__");
}

#[test]
fn freshness_is_the_age_of_the_newest_record_and_never_goes_back() {
    let now = Clock.now();
    let metrics = Metrics::new(Role::Consume, Clock);
    assert!(metrics.freshness() < Duration::from_secs(60), "counts from the start");
    let stored = |time: DateTime<Utc>| {
        let mut counts = BatchCounts::default();
        counts.record(RecordOutcome::Accepted, time);
        metrics.apply(&counts);
    };
    stored(now - TimeDelta::hours(2));
    assert!(metrics.freshness() < Duration::from_secs(60), "an old record does not take freshness back");
    stored(now + TimeDelta::hours(1));
    assert_eq!(metrics.freshness(), Duration::ZERO, "a clock ahead of ours is no negative age");
}

#[test]
fn a_role_shows_its_own_metrics_only() {
    let consume = Metrics::new(Role::Consume, Clock).encode().unwrap();
    let serve = Metrics::new(Role::Serve, Clock).encode().unwrap();
    let (of_consume, of_serve) = ("gatetrail_ingest_freshness_seconds ", "gatetrail_ingest_http_events_total{");
    assert!(consume.contains(of_consume) && !consume.contains(of_serve));
    assert!(serve.contains(of_serve) && !serve.contains(of_consume));
    assert!(serve.ends_with("# EOF\n") && consume.contains("gatetrail_build_info"));
}

#[test]
fn what_is_not_counted_by_batch() {
    let metrics = Metrics::new(Role::All, Clock);
    metrics.set_lag("events", 3, 17);
    metrics.set_lag("events", 4, 1);
    metrics.forget_partition("events", 4);
    metrics.observe_stage(Stage::Insert, Duration::from_millis(3));
    metrics.observe_batch_rows(50_000);
    metrics.insert_retried("network");
    metrics.queue_depth(Queue::Batches).set(2);
    metrics.observe_http_request("/v1/requests/{request_id}", 404, Duration::from_millis(3));
    metrics.add_http_events(HttpEventOutcome::Accepted, 5);
    let expected = [
        (r#"gatetrail_ingest_lag_records{topic="events",partition="3"}"#, Some(17.0)),
        (r#"gatetrail_ingest_lag_records{topic="events",partition="4"}"#, None),
        (r#"gatetrail_batch_seconds_bucket{le="0.004",stage="insert"}"#, Some(1.0)),
        ("gatetrail_batch_rows_sum", Some(50_000.0)),
        (r#"gatetrail_insert_retries_total{class="network"}"#, Some(1.0)),
        (r#"gatetrail_queue_depth{queue="batches"}"#, Some(2.0)),
        (r#"gatetrail_http_requests_total{route="/v1/requests/{request_id}",status="404"}"#, Some(1.0)),
        (r#"gatetrail_http_request_seconds_count{route="/v1/requests/{request_id}"}"#, Some(1.0)),
        (r#"gatetrail_ingest_http_events_total{outcome="accepted"}"#, Some(5.0)),
    ];
    for (series, number) in expected {
        assert_eq!(value(&metrics, series), number, "{series}\n{}", metrics.encode().unwrap());
    }
}
