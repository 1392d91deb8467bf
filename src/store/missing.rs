//! Of an insert's rows, those that are not stored yet, and those of a part of its range. Pure.

use super::body::keep_rows;
use super::error::StoreError;
use super::identities::StoredIdentities;
use super::token;
use super::writer::Insert;

/// The rows of this insert whose identity is in neither table, under the token of the n-th repair (0: the insert's own
/// token, under which a first insert that may or may not have arrived is tried again). `None` when none is missing.
///
/// A caller that wants to store again what is a dead letter so far empties `stored.dead_letters` first.
///
/// # Errors
/// [`StoreError::Encode`] or [`StoreError::EncodeDeadLetters`] when the body cannot be read or written anew.
pub fn missing_rows(insert: &Insert, stored: &StoredIdentities, repair: u32) -> Result<Option<Insert>, StoreError> {
    let body = keep_rows(insert, &mut |identity| !stored.holds(identity))?;
    Ok(body.map(|body| Insert { body, token: token::of_repair(&insert.token, repair), ..insert.clone() }))
}

/// The rows of this insert from offset `first` up to, not including, `next`, under the token of that range. `None` when
/// there is none.
///
/// # Errors
/// [`StoreError::Encode`] or [`StoreError::EncodeDeadLetters`] when the body cannot be read or written anew, or the token
/// names no range.
pub fn rows_between(insert: &Insert, first: i64, next: i64) -> Result<Option<Insert>, StoreError> {
    let Some(token) = token::of_range(&insert.token, first, next) else {
        return Err(StoreError::Token(insert.token.clone()));
    };
    let body = keep_rows(insert, &mut |identity| (first..next).contains(&identity.offset))?;
    Ok(body.map(|body| Insert { body, token, ..insert.clone() }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::StringDictionaryBuilder;
    use arrow_array::types::UInt32Type;
    use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array};
    use arrow_ipc::writer::StreamWriter;
    use bytes::Bytes;

    use super::{missing_rows, rows_between};
    use crate::store::body::{TimeBounds, column_names, event_times, keep_rows, row_count};
    use crate::store::identities::StoredIdentities;
    use crate::store::span::Identity;
    use crate::store::writer::Insert;

    const ROWS: [(i64, u32); 5] = [(10, 0), (10, 1), (11, 0), (13, 0), (14, 0)];

    /// The same rows as events and as dead letters.
    fn both_kinds() -> [Insert; 2] {
        let mut names = StringDictionaryBuilder::<UInt32Type>::new();
        ROWS.iter().for_each(|(offset, _)| names.append_value(format!("name {offset}")));
        let columns: [(&str, ArrayRef); 4] = [
            ("time", Arc::new(TimestampMicrosecondArray::from_iter_values(ROWS.map(|(offset, _)| offset * 1_000)))),
            ("kafka_offset", Arc::new(Int64Array::from_iter_values(ROWS.map(|(offset, _)| offset)))),
            ("kafka_index", Arc::new(UInt32Array::from_iter_values(ROWS.map(|(_, index)| index)))),
            ("name", Arc::new(names.finish())),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        let lines = ROWS.map(|(offset, index)| {
            format!("{{\"kafka_offset\":{offset},\"kafka_index\":{index},\"detail\":\"a\\nb\"}}\n")
        });
        [
            Insert {
                table: "events",
                format: "ArrowStream",
                body: Bytes::from(writer.into_inner().unwrap()),
                token: "v1:id:topic:0:10:15".to_owned(),
            },
            Insert {
                table: "dead_letters",
                format: "JSONEachRow",
                body: Bytes::from(lines.concat()),
                token: "v1:id:topic:0:10:15:dlq".to_owned(),
            },
        ]
    }

    fn identities(insert: &Insert) -> Vec<(i64, u32)> {
        let mut found = Vec::new();
        let all = keep_rows(insert, &mut |identity| {
            found.push((identity.offset, identity.index));
            true
        });
        assert_eq!(all.unwrap().as_ref(), Some(&insert.body), "all kept: the same bytes");
        found
    }

    #[test]
    fn exactly_the_rows_in_neither_table_are_missing() {
        let identity = |(offset, index)| Identity { offset, index };
        let mut stored = StoredIdentities::default();
        stored.events.extend([(10, 0), (13, 0)].map(identity));
        stored.dead_letters.extend([(14, 0)].map(identity));
        for insert in both_kinds() {
            let missing = missing_rows(&insert, &stored, 2).unwrap().unwrap();
            assert_eq!(identities(&missing), [(10, 1), (11, 0)]);
            assert_eq!(row_count(&missing).unwrap(), 2);
            assert_eq!((missing.table, missing.format), (insert.table, insert.format));
            assert_eq!(missing.token, format!("{}:r2", insert.token));
        }
        stored.events.extend(ROWS.map(identity));
        for insert in both_kinds() {
            assert!(missing_rows(&insert, &stored, 1).unwrap().is_none());
        }
    }

    #[test]
    fn when_all_are_missing_the_bytes_are_the_same_and_so_is_the_token_of_the_first_try() {
        for insert in both_kinds() {
            let missing = missing_rows(&insert, &StoredIdentities::default(), 0).unwrap().unwrap();
            assert_eq!((missing.body, missing.token), (insert.body, insert.token));
        }
    }

    #[test]
    fn a_part_of_the_range_has_a_token_of_its_own() {
        for insert in both_kinds() {
            let part = rows_between(&insert, 11, 14).unwrap().unwrap();
            assert_eq!(identities(&part), [(11, 0), (13, 0)]);
            assert_eq!(part.token, insert.token.replace(":10:15", ":11:14"));
            assert!(rows_between(&insert, 12, 13).unwrap().is_none(), "a hole of the topic");
        }
    }

    #[test]
    fn rows_are_counted_and_timed_without_a_look_at_other_columns() {
        let [events, letters] = both_kinds();
        assert_eq!((row_count(&events).unwrap(), row_count(&letters).unwrap()), (5, 5));
        assert_eq!(event_times(&events).unwrap(), TimeBounds { first: 10_000, last: 14_000 });
        assert_eq!(event_times(&letters).unwrap(), TimeBounds::NONE);
    }

    #[test]
    fn columns_are_named_as_the_body_names_them() {
        let [events, letters] = both_kinds();
        assert_eq!(column_names(&events).unwrap(), ["time", "kafka_offset", "kafka_index", "name"]);
        let mut of_letters = column_names(&letters).unwrap();
        of_letters.sort();
        assert_eq!(of_letters, ["detail", "kafka_index", "kafka_offset"]);
    }

    #[test]
    fn a_damaged_body_is_an_error_and_never_an_empty_one() {
        let [events, letters] = both_kinds();
        let cut = Insert { body: events.body.slice(..events.body.len() / 2), ..events.clone() };
        assert!(row_count(&cut).is_err());
        assert!(missing_rows(&cut, &StoredIdentities::default(), 1).is_err());
        let cut = Insert { body: letters.body.slice(..letters.body.len() - 5), ..letters };
        assert!(missing_rows(&cut, &StoredIdentities::default(), 1).is_err());
        let nameless = Insert { token: "no range".to_owned(), ..events };
        assert!(rows_between(&nameless, 0, 1).is_err());
    }
}
