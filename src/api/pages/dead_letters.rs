//! `GET /dead-letters`: the page of refused records: how many by code, what to change, and where each lies.
//!
//! Excerpts are text of strangers: escaped by the template, and isolated so that they cannot turn the direction of
//! what stands beside them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use url::form_urlencoded::Serializer;

use crate::api::dead_letters::asked;
use crate::api::parameters::Parameters;
use crate::api::problem::Problem;
use crate::api::state::ApiState;
use crate::decode::{Advice, advice};
use crate::query::stored::time_text;
use crate::query::{DeadLetterFilter, DeadLetterList, DeadLetterSummary, Page};

/// An excerpt longer than this many characters is folded.
const SHOWN_CHARACTERS: usize = 160;
/// The ranges that are one click away: what `from` says, and its words.
const RANGES: [(&str, &str); 4] = [("-1h", "1 hour"), ("-24h", "24 hours"), ("-7d", "7 days"), ("-30d", "30 days")];

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct DeadLettersPage {
    total: u64,
    counts: Vec<CodeLine>,
    letters: Vec<Letter>,
    /// The code, topic and partition that the list is narrowed to.
    narrowed: Vec<(&'static str, String)>,
    /// The range, where one was asked for.
    from: Option<String>,
    to: Option<String>,
    ranges: Vec<(String, &'static str)>,
    every_code_path: String,
    json_path: String,
    next_path: Option<String>,
}

struct CodeLine {
    code: String,
    records: u64,
    path: String,
    advice: Option<Advice>,
}

struct Letter {
    time: String,
    clock: String,
    code: String,
    detail: String,
    start: String,
    /// The whole excerpt, where `start` is not all of it.
    whole: Option<String>,
    bytes: u64,
    topic: String,
    place: String,
    /// What `gatetrail replay` made of it, and when; `None` when it was not replayed.
    replay: Option<Replay>,
}

struct Replay {
    is_good: bool,
    words: String,
    time: String,
}

/// Shows what `GET /v1/dead-letters` sends.
pub(in crate::api) async fn show_dead_letters(
    State(state): State<ApiState>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let (filter, page) = asked(parameters, state.clock.now())?;
    let found = state.questions.dead_letters(&filter, &page).await?;
    Ok(super::respond(StatusCode::OK, &page_of(&found, &filter, &page)))
}

fn page_of(found: &DeadLetterList, filter: &DeadLetterFilter, page: &Page) -> DeadLettersPage {
    let with_code = |code: Option<&str>| DeadLetterFilter { code: code.map(str::to_owned), ..filter.clone() };
    let mut counts: Vec<CodeLine> = found
        .counts
        .iter()
        .map(|(code, records)| CodeLine {
            code: code.clone(),
            records: *records,
            path: format!("/dead-letters?{}", query_of(&with_code(Some(code)), &[])),
            advice: advice(code),
        })
        .collect();
    counts.sort_by(|one, other| other.records.cmp(&one.records).then_with(|| one.code.cmp(&other.code)));
    let any_time = DeadLetterFilter { from: None, to: None, ..filter.clone() };
    let limit = page.limit().to_string();
    let next = |cursor: &String| {
        format!("/dead-letters?{}", query_of(filter, &[("limit", limit.as_str()), ("cursor", cursor.as_str())]))
    };
    DeadLettersPage {
        total: found.counts.values().sum(),
        counts,
        letters: found.items.iter().map(letter_of).collect(),
        narrowed: narrowed(filter),
        from: filter.from.map(time_text),
        to: filter.to.map(time_text),
        ranges: RANGES
            .map(|(from, words)| (format!("/dead-letters?{}", query_of(&any_time, &[("from", from)])), words))
            .into(),
        every_code_path: format!("/dead-letters?{}", query_of(&with_code(None), &[])),
        json_path: format!("/v1/dead-letters?{}", query_of(filter, &[("limit", limit.as_str())])),
        next_path: found.next_cursor.as_ref().map(next),
    }
}

fn narrowed(filter: &DeadLetterFilter) -> Vec<(&'static str, String)> {
    let partition = filter.partition.map(|partition| partition.to_string());
    [("code", filter.code.clone()), ("topic", filter.topic.clone()), ("partition", partition)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The query string that asks for `filter` and `more` again.
fn query_of(filter: &DeadLetterFilter, more: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in narrowed(filter) {
        query.append_pair(name, &value);
    }
    for (name, time) in [("from", filter.from), ("to", filter.to)] {
        if let Some(time) = time {
            query.append_pair(name, &time_text(time));
        }
    }
    query.extend_pairs(more);
    query.finish()
}

fn letter_of(letter: &DeadLetterSummary) -> Letter {
    let cut = letter.excerpt.char_indices().nth(SHOWN_CHARACTERS).map(|(end, _)| &letter.excerpt[..end]);
    Letter {
        time: time_text(letter.received_at),
        clock: letter.received_at.to_rfc3339_opts(SecondsFormat::Secs, true).replace('T', " ").replace('Z', ""),
        code: letter.code.clone(),
        detail: letter.detail.clone(),
        start: cut.unwrap_or(&letter.excerpt).to_owned(),
        whole: cut.map(|_| letter.excerpt.clone()),
        bytes: letter.record_bytes,
        replay: letter.replayed_at.map(|time| replay_of(letter, time)),
        topic: letter.kafka_topic.clone(),
        place: match letter.kafka_index {
            0 => format!("partition {}, offset {}", letter.kafka_partition, letter.kafka_offset),
            index => format!("partition {}, offset {}, event {index}", letter.kafka_partition, letter.kafka_offset),
        },
    }
}

fn replay_of(letter: &DeadLetterSummary, time: DateTime<Utc>) -> Replay {
    let words = match (letter.state.as_str(), &letter.replay_code) {
        ("replayed", _) => "replayed: it is an event now".to_owned(),
        ("gone_from_kafka", _) => "gone: Kafka no longer has the record".to_owned(),
        ("still_refused", Some(code)) => format!("replayed and refused again: {code}"),
        (state, _) => state.replace('_', " "),
    };
    Replay { is_good: letter.state == "replayed", words, time: time_text(time) }
}

#[cfg(test)]
mod tests {
    use super::{narrowed, query_of};
    use crate::query::DeadLetterFilter;

    #[test]
    fn a_link_asks_for_the_same_again() {
        let filter = DeadLetterFilter {
            code: Some("bad_time".into()),
            topic: Some("a&b=\"c\"".into()),
            partition: Some(0),
            from: Some("2026-11-22T10:00:00Z".parse().unwrap()),
            to: None,
        };
        assert_eq!(
            query_of(&filter, &[("cursor", "c")]),
            "code=bad_time&topic=a%26b%3D%22c%22&partition=0&from=2026-11-22T10%3A00%3A00.000000Z&cursor=c"
        );
        assert_eq!(query_of(&DeadLetterFilter::default(), &[]), "");
        assert_eq!(narrowed(&filter).len(), 3);
    }
}
