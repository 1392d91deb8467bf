//! The scanner: one pass from left to right, from prefilter mark to prefilter mark.
//!
//! Invariants: what was found never overlaps and stands in ascending order; nothing looks back beyond the end of the
//! last find (the *floor*), which counts as the edge of a word, because `[redacted:…]` will stand there. That is also
//! why scrubbing scrubbed text changes nothing. Look-back is bounded by a name's length, look-ahead by what is
//! consumed or by a constant, so the time is linear.

use super::glyph::{Glyph, MAX_BACKSLASHES, glyph_at};
use super::keys::Keys;
use super::kind::SecretKind;
use super::prefilter::{BLOCK, Marks, is_trigger_at, mark, run_starts};
use super::runs::ShapeIndex;
use super::{command_line, markup, pem, position, prose, runs, scheme, structures, url, wrapped};

/// A secret's place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// First byte of the secret.
    pub(super) start: usize,
    /// First byte after it.
    pub(super) end: usize,
    /// What it is.
    pub(super) kind: SecretKind,
    /// How many times the value has to be percent-decoded to get what the issuer sent.
    pub(super) percent_layers: usize,
    /// How many layers of JSON string escapes the value carries.
    pub(super) json_layers: usize,
}

impl Found {
    /// A secret that stands in the text as it is, without encodings.
    pub(super) const fn plain(start: usize, end: usize, kind: SecretKind) -> Self {
        Self { start, end, kind, percent_layers: 0, json_layers: 0 }
    }
}

/// The tables a scan needs.
pub(super) struct Tables {
    /// Names before separators.
    pub(super) keys: Keys,
    /// Vendors' shapes by first letter.
    pub(super) shapes: ShapeIndex,
}

impl Tables {
    /// Prepares all tables.
    pub(super) fn new() -> Self {
        Self { keys: Keys::new(), shapes: ShapeIndex::new() }
    }
}

/// The text as handlers see it: all of it, and how far back they may look.
#[derive(Clone, Copy)]
pub(super) struct View<'t> {
    /// The whole text.
    pub(super) bytes: &'t [u8],
    /// End of the last find.
    pub(super) floor: usize,
}

/// Blocks that are marked at once, one more is looked at with them.
const BLOCKS: usize = 16;

/// Every secret in `bytes`, in order.
pub(super) fn find_all(tables: &Tables, bytes: &[u8]) -> Vec<Found> {
    let mut scan = Scan { tables, view: View { bytes, floor: 0 }, run_end: 0, found: Vec::new() };
    let mut marks = [Marks::default(); BLOCKS + 1];
    let mut base = 0;
    while base < bytes.len() {
        let marked = mark(&bytes[base..], &mut marks);
        let blocks = marked.min(BLOCKS);
        for (index, Marks { triggers, tokens }) in marks[..blocks].iter().copied().enumerate() {
            let next = if index + 1 < marked { marks[index + 1].tokens } else { 0 };
            scan.visit(base + index * BLOCK, triggers, run_starts(tokens, next));
        }
        // Skip what the last find consumed.
        base = (base + blocks * BLOCK).max(scan.view.floor - scan.view.floor % BLOCK);
    }
    scan.found
}

/// Whether the colon stands in a time of day (`10:00`, `T10:00:00.5Z`), which most colons of a log do: two digits on both sides,
/// and nothing before or after them that could make a name or a value of it.
fn is_in_clock(bytes: &[u8], colon: usize) -> bool {
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let Some(start) = colon.checked_sub(2) else { return false };
    if !(is_digit(start) && is_digit(start + 1) && is_digit(colon + 1) && is_digit(colon + 2)) {
        return false;
    }
    let begins = match start.checked_sub(1).map(|at| bytes[at]) {
        None | Some(b' ' | b'\n' | b'\t' | b':' | b'[' | b'(') => true,
        Some(b'T') => start.checked_sub(2).is_some_and(is_digit),
        Some(_) => false,
    };
    begins
        && bytes
            .get(colon + 3)
            .is_none_or(|byte| matches!(byte, b' ' | b':' | b'.' | b',' | b'Z' | b'+' | b'\n' | b']' | b')'))
}

/// The state of one pass.
struct Scan<'s, 't> {
    tables: &'s Tables,
    view: View<'t>,
    /// End of the last run that was searched for shapes, so that none is searched twice.
    run_end: usize,
    found: Vec<Found>,
}

impl Scan<'_, '_> {
    /// Looks at each trigger and each run of token letters of the block that begins at `base`.
    fn visit(&mut self, base: usize, triggers: u64, runs: u64) {
        let mut triggers = triggers & from(self.view.floor, base);
        let mut runs = runs & from(self.run_end.max(self.view.floor), base);
        while triggers | runs != 0 {
            let offset = (triggers | runs).trailing_zeros();
            let position = base + usize::try_from(offset).unwrap_or(0);
            // The run first: a trigger that is one of its letters says less than its shape.
            if runs >> offset & 1 == 1 {
                self.visit_run(position);
                runs &= from(self.run_end.max(self.view.floor), base);
                triggers &= from(self.view.floor, base);
            }
            if triggers >> offset & 1 == 1 {
                triggers &= triggers - 1;
                if is_trigger_at(self.view.bytes, position)
                    && let Some(found) = self.judge(position)
                {
                    self.keep(found);
                    triggers &= from(self.view.floor, base);
                    runs &= from(self.view.floor, base);
                }
            }
        }
    }

    /// Decides about one trigger.
    fn judge(&self, position: usize) -> Option<Found> {
        let view = self.view;
        match view.bytes[position] {
            b'>' if view.bytes[position..].starts_with(b">>,<<") => position::at_tuple(self.tables, view, position + 2),
            b'=' | b'>' => position::at_separator(self.tables, view, position, glyph_at(view.bytes, position)),
            b':' if is_in_clock(view.bytes, position) => None,
            b':' => match url::authority_start(view.bytes, position + 1) {
                Some(authority) => url::in_text(view, authority),
                None => self.at_colon(position, glyph_at(view.bytes, position)),
            },
            b'%' | b'\\' | b'&' => self.judge_escape(position),
            b'"' | b'\'' | b';' => position::at_tuple(self.tables, view, position + 1),
            b'-' => pem::at_dashes(view, position).or_else(|| command_line::at_option(self.tables, view, position)),
            b'v' | b'V' => position::at_variable(view, position),
            b'o' | b'O' | b'r' | b'R' | b'e' | b'E' => prose::after_word(self.tables, view, position),
            _ => scheme::at_word(view, position),
        }
    }

    /// A colon that belongs to no URL.
    fn at_colon(&self, position: usize, colon: Glyph) -> Option<Found> {
        structures::around_colon(self.view, position, colon)
            .or_else(|| markup::at_colon(self.view, position))
            .or_else(|| url::data_source(self.view, position, colon))
            .or_else(|| position::at_separator(self.tables, self.view, position, colon))
    }

    /// A separator that is written as an escape.
    fn judge_escape(&self, trigger: usize) -> Option<Found> {
        let position = self.first_backslash(trigger);
        let glyph = glyph_at(self.view.bytes, position);
        match glyph.byte {
            b':' => match url::authority_start(self.view.bytes, position + glyph.length) {
                Some(authority) => url::in_text(self.view, authority),
                None => self.at_colon(position, glyph),
            },
            b'=' | b'>' => position::at_separator(self.tables, self.view, position, glyph),
            b',' => position::at_tuple(self.tables, self.view, position),
            b'~' => runs::entra_secret(self.view, self.view.floor, position, glyph.length),
            _ => None,
        }
    }

    /// Where the row of backslashes begins of which the trigger is the last.
    fn first_backslash(&self, trigger: usize) -> usize {
        if self.view.bytes[trigger] != b'\\' {
            return trigger;
        }
        let head = &self.view.bytes[self.view.floor..trigger];
        trigger - head.iter().rev().take(MAX_BACKSLASHES).take_while(|byte| **byte == b'\\').count()
    }

    /// Searches the run of token letters at `position` for vendors' shapes.
    fn visit_run(&mut self, position: usize) {
        let run = runs::run_around(self.view, position, self.run_end);
        let mut from = run.start;
        while let Some(found) = runs::find_shape(&self.tables.shapes, self.view, from, run.end) {
            from = found.end;
            self.keep(found);
        }
        self.run_end = run.end.max(position + 1);
    }

    /// Notes a find; finds that look back behind the floor are impossible by construction and dropped for safety.
    fn keep(&mut self, found: Found) {
        debug_assert!(found.start >= self.view.floor && found.start < found.end, "{found:?} floor {}", self.view.floor);
        if found.start >= self.view.floor && found.start < found.end {
            let end = wrapped::end(self.view.bytes, &found);
            self.view.floor = end;
            self.found.push(Found { end, ..found });
        }
    }
}

/// The bits of the bytes from `position` on, in the block that begins at `base`.
fn from(position: usize, base: usize) -> u64 {
    let before = position.saturating_sub(base);
    u32::try_from(before).ok().and_then(|before| u64::MAX.checked_shl(before)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::is_in_clock;

    #[test]
    fn a_time_of_day_is_told_from_names_and_values() {
        for (text, expected) in [
            ("at 10:00 it", true),
            ("2026-11-22T10:00:00.5Z", true),
            ("10:00", true),
            ("[10:00:01]", true),
            ("host10:00 ", false),
            ("key 10:00abc", false),
            ("a1:00", false),
            ("XT10:00 ", false),
            ("password:10", false),
            ("10:0", false),
        ] {
            assert_eq!(is_in_clock(text.as_bytes(), text.find(':').unwrap()), expected, "{text}");
        }
    }
}
