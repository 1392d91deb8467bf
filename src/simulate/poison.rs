//! Malformed records: one for each code with which the decoder refuses, in turn.
//!
//! They have no request and no answer. The oversized one comes only once in many turns: it is a megabyte.

use super::dice::Dice;
use super::error::SimulateError;
use super::record::{Record, RecordKind};
use super::text::{TimeWriter, push_hex};

/// Every refusal code, in the order in which they are told.
pub const CODES: [&str; 15] = [
    "empty_record",
    "not_json",
    "not_an_object",
    "missing_field",
    "invalid_field",
    "bad_time",
    "time_in_future",
    "time_too_old",
    "id_too_long",
    "duplicate_field",
    "unsupported_specversion",
    "too_many_attributes",
    "nested_too_deep",
    "not_utf8",
    "record_too_large",
];

/// The oversized record is left out in all turns but each so-manieth.
const OVERSIZED_EVERY: u64 = 16;
/// More than the 1 MiB that a consumer takes by default.
const OVERSIZED_BYTES: usize = 1_200_000;
/// More than the 64 levels that a decoder takes.
const TOO_MANY_LEVELS: usize = 200;

/// Decides when a malformed record is due and writes it.
pub struct Poison {
    /// In millionths of a record for each event.
    share: u64,
    may_be_due: bool,
    turn: u64,
    next: usize,
}

impl Poison {
    /// So many malformed records for each hundred events.
    ///
    /// # Errors
    /// Not a number from 0 to 100.
    pub fn new(percent: f64) -> Result<Self, SimulateError> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(SimulateError::Option { option: "poison", reason: "must be a number from 0 to 100" });
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1,000,000 by the check above"
        )]
        let share = (percent * 10_000.0).round() as u64;
        Ok(Self { share, may_be_due: false, turn: 0, next: 0 })
    }

    /// Tells that an event was written: after each, one malformed record may follow.
    pub fn event_written(&mut self) {
        self.may_be_due = self.share > 0;
    }

    /// Whether a malformed record comes next.
    pub fn is_due(&mut self, dice: &mut Dice) -> bool {
        let draws = std::mem::take(&mut self.may_be_due);
        draws && dice.below(1_000_000) < self.share
    }

    /// Writes the malformed record whose turn it is.
    pub fn write(&mut self, times: &mut TimeWriter, dice: &mut Dice, record: &mut Record) {
        let code = CODES[self.next];
        let skipped_turn = !self.turn.is_multiple_of(OVERSIZED_EVERY);
        self.next += 1;
        if self.next == CODES.len() || (skipped_turn && CODES[self.next] == "record_too_large") {
            self.next = 0;
            self.turn += 1;
        }
        record.kind = RecordKind::Poison;
        record.key.clear();
        let mut now = Vec::new();
        times.push(&mut now, record.time);
        let time = String::from_utf8_lossy(&now).into_owned();
        record.value = malformed(code, &time, dice);
    }
}

/// A record that is refused with `code`; `time` is the present, so that nothing else is wrong with it.
#[must_use]
pub fn malformed(code: &str, time: &str, dice: &mut Dice) -> Vec<u8> {
    let mut id = Vec::new();
    push_hex(&mut id, dice.bits());
    let id = String::from_utf8_lossy(&id).into_owned();
    let with = |id: &str, time: &str, version: &str, data: &str| {
        format!(
            r#"{{"specversion":"{version}","id":"{id}","source":"//gateway/broken/gw-1","type":"mcp.request.completed","time":"{time}","data":{data}}}"#
        )
    };
    let sound = r#"{"hop":"downstream","outcome":"success"}"#;
    let text = match code {
        "empty_record" => String::new(),
        "not_json" => match dice.below(3) {
            0 => with(&id, time, "1.0", sound).trim_end_matches('}').to_owned(),
            1 => with(&id, time, "1.0", "{\"hop\":\"down\0stream\",\"outcome\":\"success\"}"),
            _ => format!("gateway restarted at {time}"),
        },
        "not_an_object" => ["[1,2,3]", "\"an event\"", "42"][dice.index(3)].to_owned(),
        "missing_field" => match dice.below(2) {
            0 => with(&id, time, "1.0", r#"{"outcome":"success"}"#),
            _ => with("", time, "1.0", sound),
        },
        "invalid_field" => match dice.below(2) {
            0 => with(&id, time, "1.0", r#"{"hop":"downstream","outcome":"success","http":{"status":"four hundred"}}"#),
            _ => with(&id, time, "1.0", r#"{"hop":"downstream","outcome":"success","duration_ms":-3}"#),
        },
        "bad_time" => with(&id, "yesterday at noon", "1.0", sound),
        "time_in_future" => with(&id, "2999-01-01T00:00:00Z", "1.0", sound),
        "time_too_old" => with(&id, "2001-01-01T00:00:00Z", "1.0", sound),
        "id_too_long" => with(&id.repeat(14), time, "1.0", sound),
        "duplicate_field" => with(&id, time, "1.0", r#"{"hop":"downstream","hop":"upstream","outcome":"success"}"#),
        "unsupported_specversion" => with(&id, time, "3.0", sound),
        "too_many_attributes" => {
            let members: Vec<String> = (0..80).map(|number| format!(r#""extra_{number}":"x""#)).collect();
            let data = format!(r#"{{"hop":"downstream","outcome":"success",{}}}"#, members.join(","));
            with(&id, time, "1.0", &data)
        }
        "nested_too_deep" => {
            let nest = format!("{}{}", "[".repeat(TOO_MANY_LEVELS), "]".repeat(TOO_MANY_LEVELS));
            with(&id, time, "1.0", &format!(r#"{{"hop":"downstream","outcome":"success","extra":{nest}}}"#))
        }
        "record_too_large" => {
            let message = "x".repeat(OVERSIZED_BYTES);
            with(&id, time, "1.0", &format!(r#"{{"hop":"downstream","outcome":"success","message":"{message}"}}"#))
        }
        _ => {
            let mut bytes =
                with(&id, time, "1.0", r#"{"hop":"downstream","outcome":"success","message":"?"}"#).into_bytes();
            bytes.iter_mut().filter(|byte| **byte == b'?').for_each(|byte| *byte = 0xff);
            return bytes;
        }
    };
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_turn_and_the_oversized_one_seldom() {
        let mut poison = Poison::new(100.0).unwrap();
        let mut dice = Dice::new(1);
        let mut times = TimeWriter::default();
        let mut record = Record::default();
        let mut large = 0;
        for _ in 0..CODES.len() * 14 {
            poison.event_written();
            assert!(poison.is_due(&mut dice));
            poison.write(&mut times, &mut dice, &mut record);
            large += usize::from(record.value.len() > OVERSIZED_BYTES);
            assert!(!record.value.contains(&b'\n'), "a record is one line");
        }
        assert_eq!(large, 1);
    }

    #[test]
    fn only_a_percentage_is_taken() {
        for (percent, accepted) in [(0.0, true), (100.0, true), (-0.1, false), (100.1, false), (f64::NAN, false)] {
            assert_eq!(Poison::new(percent).is_ok(), accepted, "{percent}");
        }
    }
}
