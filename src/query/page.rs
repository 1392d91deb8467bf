//! Pages of a list: how many items, and where the last page ended.
//!
//! Seek, not offset: a cursor names the last item by (time, id), so that a page costs the same however deep it lies and
//! new rows do not shift it. It is opaque, versioned, and bound to the list it was given out for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::QueryError;

/// Most items of one page.
pub const MAX_LIMIT: u32 = 1000;
/// Items of one page when nothing else is asked for.
pub const DEFAULT_LIMIT: u32 = 50;
/// First part of every cursor; another form gets another number.
const VERSION: &str = "1";
/// Longest cursor that is looked at, in bytes.
const MAX_CURSOR_BYTES: usize = 1024;

/// Which list a cursor belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Requests found by a search.
    Requests,
    /// The ledger of refreshes.
    TokenRefreshes,
    /// Refused records.
    DeadLetters,
}

impl List {
    fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::TokenRefreshes => "token-refreshes",
            Self::DeadLetters => "dead-letters",
        }
    }
}

/// Where a page ended: the next one holds what sorts after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Time of the last item.
    pub time: DateTime<Utc>,
    /// Id of the last item; decides between items of the same time.
    pub id: String,
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    limit: u32,
    after: Option<Position>,
}

impl Page {
    /// Reads `limit` and `cursor` as they came in; an absent limit is [`DEFAULT_LIMIT`].
    ///
    /// # Errors
    /// [`QueryError::BadLimit`] unless `limit` is from 1 to [`MAX_LIMIT`]; [`QueryError::BadCursor`] when the cursor was
    /// not given out by the same list.
    pub fn parse(list: List, limit: Option<&str>, cursor: Option<&str>) -> Result<Self, QueryError> {
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(text) => text.parse().map_err(|_| QueryError::BadLimit)?,
        };
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(QueryError::BadLimit);
        }
        let after = cursor.map(|text| decode_cursor(list, text)).transpose()?;
        Ok(Self { limit, after })
    }

    /// The first page, of so many items.
    ///
    /// # Errors
    /// [`QueryError::BadLimit`] unless `limit` is from 1 to [`MAX_LIMIT`].
    pub fn first(limit: u32) -> Result<Self, QueryError> {
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(QueryError::BadLimit);
        }
        Ok(Self { limit, after: None })
    }

    /// Most items of this page, 1 to [`MAX_LIMIT`].
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Where the page before ended; `None` on the first page.
    #[must_use]
    pub fn after(&self) -> Option<&Position> {
        self.after.as_ref()
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Paged<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Hand it back as `cursor` for the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Paged<T> {
    /// Makes a page of what was read: one item more than `limit` says that another page follows.
    pub fn from_one_more(list: List, page: &Page, mut items: Vec<T>, position: impl Fn(&T) -> Position) -> Self {
        let limit = page.limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = if more { items.last().map(|item| encode_cursor(list, &position(item))) } else { None };
        Self { items, next_cursor }
    }
}

/// Writes a cursor.
#[must_use]
pub fn encode_cursor(list: List, position: &Position) -> String {
    let plain = format!("{VERSION}|{}|{}|{}", list.as_str(), position.time.timestamp_micros(), position.id);
    URL_SAFE_NO_PAD.encode(plain)
}

/// Reads a cursor back.
fn decode_cursor(list: List, cursor: &str) -> Result<Position, QueryError> {
    if cursor.len() > MAX_CURSOR_BYTES {
        return Err(QueryError::BadCursor);
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| QueryError::BadCursor)?;
    let plain = String::from_utf8(bytes).map_err(|_| QueryError::BadCursor)?;
    let mut parts = plain.splitn(4, '|');
    let (Some(VERSION), Some(name), Some(micros), Some(id)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(QueryError::BadCursor);
    };
    if name != list.as_str() || id.is_empty() || id.chars().any(char::is_control) {
        return Err(QueryError::BadCursor);
    }
    let micros = micros.parse().map_err(|_| QueryError::BadCursor)?;
    let time = DateTime::from_timestamp_micros(micros).ok_or(QueryError::BadCursor)?;
    if !is_storable(time) {
        return Err(QueryError::BadCursor);
    }
    Ok(Position { time, id: id.to_owned() })
}

/// Whether a `DateTime64(6)` can hold the moment (1900 to 2299).
#[must_use]
pub fn is_storable(time: DateTime<Utc>) -> bool {
    use chrono::Datelike as _;
    (1900..2299).contains(&time.year())
}

#[cfg(test)]
mod tests {
    use super::{List, Page, Paged, Position, encode_cursor};

    fn position(id: &str) -> Position {
        Position { time: "2026-11-22T10:00:00.123456Z".parse().unwrap(), id: id.to_owned() }
    }

    #[test]
    fn a_cursor_reads_back_as_the_position_it_names() {
        for id in ["0198f3c2", "it's|a \"pipe\"", "日本"] {
            let cursor = encode_cursor(List::Requests, &position(id));
            let page = Page::parse(List::Requests, None, Some(&cursor)).unwrap();
            assert_eq!(page.after(), Some(&position(id)));
            assert_eq!(page.limit(), 50);
        }
    }

    #[test]
    fn a_broken_cursor_has_one_code() {
        let of_other_list = encode_cursor(List::TokenRefreshes, &position("a"));
        let cut = encode_cursor(List::Requests, &position(""));
        let long = "A".repeat(5000);
        let far =
            encode_cursor(List::Requests, &Position { time: "9999-01-01T00:00:00Z".parse().unwrap(), id: "a".into() });
        for cursor in ["", "%%%", "AAAA", "MnxyZXF1ZXN0c3wxfGE", of_other_list.as_str(), &cut, &long, &far] {
            let error = Page::parse(List::Requests, None, Some(cursor)).unwrap_err();
            assert_eq!(error.code(), "bad_cursor", "{cursor}");
        }
    }

    #[test]
    fn a_limit_is_a_whole_number_from_1_to_1000() {
        for limit in ["-1", "0", "1001", "99999999999", "ten", "", "1.5", "1;DROP"] {
            assert_eq!(Page::parse(List::Requests, Some(limit), None).unwrap_err().code(), "bad_limit", "{limit}");
        }
        assert_eq!(Page::parse(List::Requests, Some("1000"), None).unwrap().limit(), 1000);
    }

    #[test]
    fn the_item_read_beyond_the_limit_makes_the_next_cursor() {
        let page = Page::first(2).unwrap();
        let more = Paged::from_one_more(List::Requests, &page, vec!["a", "b", "c"], |id| position(id));
        assert_eq!(more.items, ["a", "b"]);
        assert_eq!(more.next_cursor, Some(encode_cursor(List::Requests, &position("b"))));
        let last = Paged::from_one_more(List::Requests, &page, vec!["a", "b"], |id| position(id));
        assert_eq!(last.next_cursor, None);
    }
}
