//! The moment that an id itself names.

use chrono::{DateTime, Datelike as _, Utc};

/// When an id was minted, if it is a UUID of version 7 (RFC 9562 §5.7) of a year that can be.
#[must_use]
pub fn time_of_id(id: &str) -> Option<DateTime<Utc>> {
    let uuid = uuid::Uuid::try_parse(id).ok().filter(|uuid| uuid.get_version_num() == 7)?;
    let (seconds, nanoseconds) = uuid.get_timestamp()?.to_unix();
    let time = DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)?;
    (2000..2100).contains(&time.year()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::time_of_id;

    #[test]
    fn an_id_of_version_7_names_its_moment_and_others_do_not() {
        let minted = time_of_id("019aab12-3456-7abc-8def-0123456789ab").unwrap();
        assert_eq!(minted.date_naive().to_string(), "2025-11-22");
        for id in
            ["", "req-1", "019aab12-3456-4abc-8def-0123456789ab", "ffffffff-ffff-7fff-bfff-ffffffffffff", "' OR 1=1"]
        {
            assert_eq!(time_of_id(id), None, "{id}");
        }
    }
}
