//! Walks an event: every string of it is scrubbed before any other step sees it.
//!
//! What was removed is listed in `redactions` as `kind@member`, and stands in for what it was: a removed `state` gives
//! `flow_id`, a removed token its `token.fingerprint`, where those are empty. Texts are cut to their length afterwards,
//! so that no secret is cut in two before it was looked at.

use std::borrow::Cow;

use super::clean::{CleanTexts, is_plain_id, is_short_and_clean};
use super::kind::SecretKind;
use super::{Removal, Scrubbed, Scrubber};
use crate::event::{Event, EventKind, FieldId, Origin, Text};

/// Longest `message` and `error_description`, in characters.
const TEXT_CHARACTERS: usize = 2_000;

/// Attribute that names the texts that were cut.
const TRUNCATED: &str = "gatetrail.truncated";

/// Attribute that holds the hashes of the e-mail addresses in the event, each once, with spaces between.
const EMAIL_HASH: &str = "gatetrail.email_hash";

/// Most addresses of an event that can be found.
const MAX_EMAILS: usize = 16;

/// Members that hold a URL or a path: origin and path are kept, never a query, a fragment or user information.
fn is_url(field: FieldId) -> bool {
    matches!(
        field,
        FieldId::server_url
            | FieldId::url_path
            | FieldId::gateway_base_url
            | FieldId::oauth_metadata_url
            | FieldId::oauth_redirect_uri
            | FieldId::oauth_issuer
            | FieldId::resource_registered
            | FieldId::resource_advertised
            | FieldId::resource_requested
            | FieldId::resource_audience
            | FieldId::www_authenticate_resource_metadata
    )
}

/// How a member is looked at.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// As text in which a secret may stand anywhere.
    Text,
    /// As a path: no query, no fragment.
    Path,
    /// As a URL: no user information either.
    Url,
}

fn manner_of(field: FieldId) -> Manner {
    match field {
        FieldId::url_path => Manner::Path,
        _ if is_url(field) => Manner::Url,
        _ => Manner::Text,
    }
}

/// Members whose values hardly ever come twice, so that remembering them would only push others out.
fn is_mostly_new(field: FieldId) -> bool {
    matches!(
        field,
        FieldId::request_id
            | FieldId::client_request_id
            | FieldId::caused_by
            | FieldId::flow_id
            | FieldId::session_id
            | FieldId::http_upstream_request_id
            | FieldId::token_fingerprint
            | FieldId::token_new_fingerprint
    )
}

/// Texts that were found clean lately, by the manner in which they were looked at.
pub(super) struct Known {
    texts: CleanTexts,
    paths: CleanTexts,
    urls: CleanTexts,
}

impl Default for Known {
    /// 4,096 texts, 1,024 paths and 1,024 URLs of at most 256 bytes each: 1.5 MB when all are that long.
    fn default() -> Self {
        Self { texts: CleanTexts::new(12), paths: CleanTexts::new(10), urls: CleanTexts::new(10) }
    }
}

impl Known {
    /// Whether a scan of the text would leave it as it is, as far as can be told without one.
    fn is_clean(&self, manner: Manner, text: &str) -> bool {
        match manner {
            Manner::Path => self.paths.contains(text),
            Manner::Url => self.urls.contains(text),
            Manner::Text => {
                is_short_and_clean(text.as_bytes()) || is_plain_id(text.as_bytes()) || self.texts.contains(text)
            }
        }
    }

    fn remember(&mut self, manner: Manner, text: &str) {
        match manner {
            Manner::Path => self.paths.insert(text),
            Manner::Url => self.urls.insert(text),
            Manner::Text => self.texts.insert(text),
        }
    }
}

/// What was found in the event.
#[derive(Default)]
struct Finds {
    /// What was removed, and from which member.
    removals: Vec<(Removal, Cow<'static, str>)>,
    /// Hashes of e-mail addresses.
    email_hashes: Vec<String>,
}

/// Takes the secrets out of every string of the event.
pub fn scrub_event(scrubber: &Scrubber, event: &mut Event<'_>) {
    let mut finds = Finds::default();
    let mut truncated: Vec<&'static str> = Vec::new();
    // Somebody else using it, or having died while using it, costs time and nothing else.
    let mut known = scrubber.known.try_lock().ok();
    let mut look = |manner: Manner, text: &mut Text<'_>, member: &'static str, is_worth_remembering: bool| {
        if known.as_ref().is_some_and(|known| known.is_clean(manner, text)) {
            return;
        }
        let is_clean = scrub(scrubber, manner, text, member, &mut finds);
        if let (true, true, Some(known)) = (is_clean, is_worth_remembering, &mut known) {
            known.remember(manner, text);
        }
    };
    event.each_text(|field, text| {
        look(manner_of(field), text, field.column(), !is_mostly_new(field));
        if matches!(field, FieldId::message | FieldId::oauth_error_description) && cut(text) {
            truncated.push(field.path());
        }
    });
    look(Manner::Text, &mut event.event_id, "id", false);
    look(Manner::Text, &mut event.source, "source", true);
    if event.kind == EventKind::Other {
        look(Manner::Text, &mut event.type_name, "type", true);
    }
    scrub_attributes(scrubber, event, &mut finds);
    if !truncated.is_empty() {
        event.attributes.push((Cow::Borrowed(TRUNCATED), Cow::Owned(truncated.join(" "))));
    }
    name_emails(event, finds.email_hashes);
    for (removal, member) in finds.removals {
        stand_in(event, &removal);
        event.redactions.push(format!("{}@{member}", removal.kind));
    }
}

/// An attribute is looked at as `key=value` too: its key says what the value is.
fn scrub_attributes(scrubber: &Scrubber, event: &mut Event<'_>, finds: &mut Finds) {
    for (key, value) in &mut event.attributes {
        let joined = format!("{key}={value}");
        let scrubbed = scrubber.scrub_text(&joined);
        finds.email_hashes.extend(scrubbed.email_hashes);
        if scrubbed.removals.is_empty() {
            continue;
        }
        let (new_key, new_value) = scrubbed.text.split_once('=').unwrap_or((&scrubbed.text, ""));
        finds.removals.extend(
            scrubbed.removals.iter().cloned().map(|removal| (removal, Cow::Owned(format!("attributes.{new_key}")))),
        );
        (*key, *value) = (Cow::Owned(new_key.to_owned()), Cow::Owned(new_value.to_owned()));
    }
}

/// Keeps the hashes of the addresses, so that the events of a person can be found by an address.
fn name_emails(event: &mut Event<'_>, mut hashes: Vec<String>) {
    if hashes.is_empty() {
        return;
    }
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(MAX_EMAILS);
    event.attributes.push((Cow::Borrowed(EMAIL_HASH), Cow::Owned(hashes.join(" "))));
}

/// Scans one text; whether it was clean.
fn scrub(scrubber: &Scrubber, manner: Manner, text: &mut Text<'_>, member: &'static str, finds: &mut Finds) -> bool {
    let Scrubbed { text: scrubbed, removals, email_hashes } = match manner {
        Manner::Text => scrubber.scrub_text(text),
        Manner::Path => scrubber.scrub_url(text),
        Manner::Url => scrubber.strip_url(text),
    };
    // A text that lost its tail is borrowed still, and shorter.
    let changed = match scrubbed {
        Cow::Borrowed(same) if same.len() == text.len() => None,
        other => Some(other.into_owned()),
    };
    let is_clean = changed.is_none() && removals.is_empty() && email_hashes.is_empty();
    finds.email_hashes.extend(email_hashes);
    finds.removals.extend(removals.into_iter().map(|removal| (removal, Cow::Borrowed(member))));
    if let Some(clean) = changed {
        *text = Cow::Owned(clean);
    }
    is_clean
}

/// Cuts a text to [`TEXT_CHARACTERS`]; whether it was longer.
fn cut(text: &mut Text<'_>) -> bool {
    if text.len() <= TEXT_CHARACTERS {
        return false;
    }
    let Some((end, _)) = text.char_indices().nth(TEXT_CHARACTERS) else { return false };
    *text = Cow::Owned(text[..end].to_owned());
    true
}

/// Fills what the removed secret stood for, where the event does not say it itself.
fn stand_in(event: &mut Event<'_>, removal: &Removal) {
    let Some(fingerprint) = &removal.value_fingerprint else { return };
    let (field, place) = match removal.kind {
        SecretKind::State => (FieldId::flow_id, &mut event.flow_id),
        _ => (FieldId::token_fingerprint, &mut event.token_fingerprint),
    };
    if place.is_none() {
        *place = Some(Cow::Owned(fingerprint.clone()));
        event.origins.push((field, Origin::Scrub));
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use chrono::DateTime;

    use super::scrub_event;
    use crate::event::{Event, FieldId, Origin};
    use crate::scrub::{Emails, FingerprintKey, Scrubber};

    fn scrubber() -> Scrubber {
        Scrubber::new(FingerprintKey::new(b"test"))
    }

    fn event() -> Event<'static> {
        Event::new(Cow::Borrowed("e"), Cow::Borrowed("s"), Cow::Borrowed("mcp.auth.callback"), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_marked_secret_is_in_no_field_afterwards() {
        let marked = ["refresh", "_token=", "MARKED0secret0MARKED"].concat();
        let mut event = event();
        for field in ["message", "user_agent", "mcp_tool"] {
            match field {
                "message" => event.message = Some(Cow::Owned(format!("body {marked}&grant_type=refresh_token"))),
                "user_agent" => event.user_agent = Some(Cow::Owned(marked.clone())),
                _ => event.mcp_tool = Some(Cow::Owned(marked.clone())),
            }
        }
        event.oauth_params_sent = Some(vec![Cow::Owned(marked.clone())]);
        event.attributes.push((Cow::Borrowed("refresh_token"), Cow::Borrowed("MARKED0secret0MARKED")));
        scrub_event(&scrubber(), &mut event);
        assert!(!format!("{event:?}").contains("MARKED"), "{event:?}");
        assert_eq!(event.redactions.len(), 5, "{:?}", event.redactions);
        assert!(
            event.redactions.iter().any(|redaction| redaction == "refresh_token@message"),
            "{:?}",
            event.redactions
        );
    }

    #[test]
    fn a_removed_state_names_the_flow() {
        let mut event = event();
        event.url_path = Some(Cow::Borrowed("/oauth/callback?code=4/0AbCdEfGh&state=c3RhdGUtb2YtdGVzdA"));
        scrub_event(&scrubber(), &mut event);
        assert_eq!(event.url_path.as_deref(), Some("/oauth/callback"));
        let expected = FingerprintKey::new(b"test").fingerprint(b"c3RhdGUtb2YtdGVzdA");
        assert_eq!(event.flow_id.as_deref(), Some(expected.as_str()));
        assert_eq!(event.origin_of(FieldId::flow_id), Some(Origin::Scrub));
    }

    #[test]
    fn a_long_message_is_cut_after_it_was_scrubbed() {
        let mut event = event();
        event.message = Some(Cow::Owned(format!("{}é{}", "x".repeat(1_999), "y".repeat(500))));
        scrub_event(&scrubber(), &mut event);
        assert_eq!(event.message.as_deref().map(|text| text.chars().count()), Some(2_000));
        assert_eq!(event.attribute("gatetrail.truncated"), Some("message"));
    }

    #[test]
    fn a_person_is_found_by_an_address_whether_it_is_kept_or_hidden() {
        for (emails, expected) in [(Emails::Keep, "Some@Mail.example"), (Emails::Hide, "[email:")] {
            let scrubber = scrubber().with_emails(emails);
            let mut event = event();
            event.user_id = Some(Cow::Borrowed("Some@Mail.example"));
            event.message = Some(Cow::Borrowed("some@mail.example is no member"));
            scrub_event(&scrubber, &mut event);
            let hash = scrubber.key().fingerprint(b"some@mail.example");
            assert_eq!(event.attribute("gatetrail.email_hash"), Some(hash.as_str()));
            assert!(event.user_id.as_deref().is_some_and(|text| text.starts_with(expected)), "{:?}", event.user_id);
            assert_eq!(event.redactions.len(), if emails == Emails::Hide { 2 } else { 0 });
        }
    }

    #[test]
    fn a_clean_event_stays_borrowed() {
        let mut event = event();
        event.message = Some(Cow::Borrowed("the refresh_token is invalid"));
        scrub_event(&scrubber(), &mut event);
        assert!(matches!(event.message, Some(Cow::Borrowed(_))));
        assert!(event.redactions.is_empty());
    }
}
