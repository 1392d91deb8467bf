//! Values as people read them: JSON columns, distances in time.

use chrono::TimeDelta;
use serde_json::Value;

/// A value as people read it; `None` for what is unknown.
pub fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.is_empty() => Some("(none)".to_owned()),
        Value::Array(items) => Some(items.iter().filter_map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let pairs = members.iter().filter_map(|(key, value)| Some(format!("{key}: {}", shown(value)?)));
            Some(pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Bool(flag) => Some(if *flag { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
    }
}

/// A distance in time with its sign, in the largest unit that keeps it readable.
pub fn offset(distance: TimeDelta) -> String {
    let sign = if distance < TimeDelta::zero() { "−" } else { "+" };
    let micros = distance.num_microseconds().unwrap_or(i64::MAX).unsigned_abs();
    let (seconds, minutes) = (micros / 1_000_000, micros / 60_000_000);
    match minutes {
        0 if seconds == 0 => format!("{sign}{}.{} ms", micros / 1_000, micros / 100 % 10),
        0 => format!("{sign}{seconds}.{:02} s", micros / 10_000 % 100),
        1..60 => format!("{sign}{minutes} min {} s", seconds % 60),
        60..1_440 => format!("{sign}{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{sign}{} d {} h", minutes / 1_440, minutes / 60 % 24),
    }
}

/// A number of seconds as people say it.
pub fn seconds(count: i64) -> String {
    TimeDelta::try_seconds(count)
        .map_or_else(|| format!("{count} s"), |length| offset(length).trim_start_matches('+').to_owned())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::{offset, seconds, shown};

    #[test]
    fn distances_are_short() {
        let cases = [
            (0, "+0.0 ms"),
            (182_450, "+182.4 ms"),
            (-1_500, "−1.5 ms"),
            (2_345_000, "+2.34 s"),
            (-61_000_000, "−1 min 1 s"),
            (3_720_000_000, "+1 h 2 min"),
            (-180_000_000_000, "−2 d 2 h"),
        ];
        for (micros, expected) in cases {
            assert_eq!(offset(TimeDelta::microseconds(micros)), expected);
        }
        assert_eq!(seconds(86_400), "1 d 0 h");
        assert_eq!(seconds(i64::MAX), format!("{} s", i64::MAX));
    }

    #[test]
    fn values_are_shown_as_people_read_them() {
        let cases = [
            (json!(null), None),
            (json!("a"), Some("a")),
            (json!(false), Some("no")),
            (json!([]), Some("(none)")),
            (json!(["a", "b"]), Some("a, b")),
            (json!({"slug": "url", "x": null}), Some("slug: url")),
            (json!(182.5), Some("182.5")),
        ];
        for (value, expected) in cases {
            assert_eq!(shown(&value).as_deref(), expected, "{value}");
        }
    }
}
