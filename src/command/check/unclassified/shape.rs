//! The shape of a text: what stays the same when the same thing happens to somebody else. Pure.
//!
//! What names one case (ids, numbers, addresses, quoted names) becomes a placeholder; what a rule can go by stays: words, codes of
//! providers (`AADSTS50011`), HTTP statuses from 400, JSON-RPC codes, and what the scrubber put in (`[redacted:kind]`).

/// Characters of a shape; what is behind them rarely tells two causes apart.
const LONGEST: usize = 300;
/// Characters of a quoted text; a longer one is prose between two stray quotation marks.
const LONGEST_QUOTE: usize = 200;

/// What takes the place of what names one case.
pub const PLACEHOLDERS: [&str; 5] = ["<url>", "<email>", "<quoted>", "<id>", "<n>"];

/// The shape of a text, on one line.
#[must_use]
pub fn shape_of(text: &str) -> String {
    let mut shape = String::with_capacity(text.len().min(LONGEST * 2));
    let mut rest = text.trim_start();
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let (length, piece) = next_piece(rest, first, before);
        match piece {
            Piece::Placeholder(placeholder) => shape.push_str(placeholder),
            Piece::Space => shape.push(' '),
            Piece::Kept => shape.push_str(&rest[..length]),
        }
        before = rest[..length].chars().next_back().unwrap_or(' ');
        rest = &rest[length..];
        if shape.chars().count() > LONGEST {
            return shape.chars().take(LONGEST).chain(['…']).collect();
        }
    }
    shape.truncate(shape.trim_end().len());
    shape
}

enum Piece {
    Placeholder(&'static str),
    Space,
    Kept,
}

/// How many bytes belong together from here on, and what they are. `before` is the character in front of them.
fn next_piece(rest: &str, first: char, before: char) -> (usize, Piece) {
    if first.is_whitespace() || first.is_control() {
        let length = run(rest, |character| character.is_whitespace() || character.is_control());
        return (length, Piece::Space);
    }
    if first == '[' && rest.starts_with("[redacted:") {
        return (rest.find(']').map_or(1, |end| end + 1), Piece::Kept);
    }
    match quoted(rest, first, before) {
        Some((length, true)) => return (length, Piece::Kept),
        Some((length, false)) => return (length, Piece::Placeholder("<quoted>")),
        None => {}
    }
    if !is_word(first) {
        return (first.len_utf8(), Piece::Kept);
    }
    let word = run(rest, is_word);
    if rest[word..].starts_with("://") {
        let address = run(&rest[word..], |character| !character.is_whitespace() && !"\"'<>)]}`,;".contains(character));
        return (word + address, Piece::Placeholder("<url>"));
    }
    // Points belong to host names and versions, not to the end of a sentence.
    let dotted = run(rest, |character| is_word(character) || ".@+".contains(character));
    let dotted = rest[..dotted].trim_end_matches(['.', '@', '+']).len();
    let piece = &rest[..dotted];
    if piece.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
        return (dotted, Piece::Placeholder("<email>"));
    }
    if piece.chars().all(|character| character.is_ascii_digit() || character == '.') {
        return (dotted, number(piece, before));
    }
    (word, word_of(&rest[..word]))
}

/// Bytes of the longest start of which every character fits.
fn run(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|character| !fits(character)).unwrap_or(text.len())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}

/// The length of a quoted text with both marks, and whether it is the name of a member, as in JSON, which says what is meant.
/// An apostrophe inside a word is no mark.
fn quoted(rest: &str, first: char, before: char) -> Option<(usize, bool)> {
    let closing = match first {
        '"' | '`' => first,
        '\'' if !before.is_alphanumeric() => first,
        '“' => '”',
        '«' => '»',
        _ => return None,
    };
    let inside = &rest[first.len_utf8()..];
    let end = inside.find(closing)?;
    let is_text = end > 0 && inside[..end].chars().count() <= LONGEST_QUOTE && !inside[..end].contains('\n');
    let after = &inside[end + closing.len_utf8()..];
    let is_member = after.trim_start().starts_with([':', '=']);
    let is_apostrophe = first == '\'' && after.starts_with(char::is_alphanumeric);
    (is_text && !is_apostrophe).then(|| (first.len_utf8() + end + closing.len_utf8(), is_member))
}

/// Statuses of failures stay, other numbers are one case's.
fn number(digits: &str, before: char) -> Piece {
    let is_status = digits.len() == 3 && digits.starts_with(['4', '5']) && !digits.contains('.') && before != '-';
    if is_status { Piece::Kept } else { Piece::Placeholder("<n>") }
}

fn word_of(word: &str) -> Piece {
    let bare = word.trim_matches('-');
    let has_digit = bare.contains(|character: char| character.is_ascii_digit());
    if !has_digit {
        // `deadbeef` could be a word; a run of hexadecimal letters so long is none.
        let is_hex = bare.len() >= 16 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        return if is_hex { Piece::Placeholder("<id>") } else { Piece::Kept };
    }
    if is_rpc_code(word) || is_provider_code(bare) || is_name_with_version(bare) {
        return Piece::Kept;
    }
    let all_digits = bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    Piece::Placeholder(if all_digits && bare.len() < 16 { "<n>" } else { "<id>" })
}

/// JSON-RPC reserves −32768 to −32000.
fn is_rpc_code(word: &str) -> bool {
    word.strip_prefix("-32").is_some_and(|digits| digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Capital letters and then digits: `AADSTS50011`, `E1015`, `ORA-01017`.
fn is_provider_code(word: &str) -> bool {
    let digits = word.trim_start_matches(|character: char| character.is_ascii_uppercase() || character == '_');
    let letters = word.len() - digits.len();
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    (1..=12).contains(&letters) && (2..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Letters and one digit behind them: `oauth2`, `v1`.
fn is_name_with_version(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    digits == 1
        && word.len() <= 12
        && word.bytes().next_back().is_some_and(|byte| byte.is_ascii_digit())
        && word.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && !word.contains(['-', '_'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LONGEST, shape_of};

    #[test]
    fn what_names_one_case_is_replaced_and_what_names_the_cause_stays() {
        for (text, shape) in [
            ("vault 17 of user u-8821 is sealed", "vault <n> of user <id> is sealed"),
            ("trace 0af7651916cd43dd8448eb211c80319c, again", "trace <id>, again"),
            ("id 0198f3c2-1234-7abc-8def-0123456789ab.", "id <id>."),
            ("GET https://api.example.com:8443/v1/x?y=1 (502)", "GET <url> (502)"),
            ("no route to api.example.com", "no route to api.example.com"),
            ("jo.doe+x@example.com may not", "<email> may not"),
            ("scope \"files.read all\" is not for 'team a'", "scope <quoted> is not for <quoted>"),
            ("can't, won't, don't", "can't, won't, don't"),
            ("AADSTS50011: no. Code E1015, ORA-01017", "AADSTS50011: no. Code E1015, ORA-01017"),
            ("HTTP 403 after 1500 ms, try 3, v1.2.30", "HTTP 403 after <n> ms, try <n>, v1.<n>"),
            ("rpc -32001 and -17", "rpc -32001 and <n>"),
            ("oauth2 at v1", "oauth2 at v1"),
            ("key [redacted:bearer] was\n\n  refused ", "key [redacted:bearer] was refused"),
            ("{\"reason\":\"sealed\",\"n\": 5}", "{\"reason\":<quoted>,\"n\": <n>}"),
            ("2026-11-22T10:00:00Z late", "<id>:<n>:<id> late"),
            ("", ""),
            ("   ", ""),
            ("“curly” «angled» `ticks`", "<quoted> <quoted> <quoted>"),
            ("ünïcode 日本語 1", "ünïcode 日本語 <n>"),
        ] {
            assert_eq!(shape_of(text), shape, "{text}");
        }
    }

    #[test]
    fn the_same_failure_of_two_people_has_one_shape() {
        let of = |user: &str, number: u32, id: &str| {
            shape_of(&format!("seal {number} of \"{user}\" is broken (ref {id}, see https://help.example/{id})"))
        };
        assert_eq!(of("jo", 3, "9f00aa11bb22cc33"), of("Mary Ann", 4711, "0198f3c2-1234-7abc-8def-0123456789ab"));
        assert_ne!(shape_of("the seal is broken"), shape_of("the seal is missing"));
    }

    proptest! {
        #[test]
        fn any_text_has_a_short_shape_on_one_line(text in any::<String>()) {
            let shape = shape_of(&text);
            prop_assert!(shape.chars().count() <= LONGEST + 1);
            prop_assert!(!shape.contains('\n'));
        }

        #[test]
        fn numbers_and_ids_never_tell_two_shapes_apart(one in 1000_u32.., other in 1000_u32..) {
            let shape = |number: u32| shape_of(&format!("seal {number} broken, ref a{number}b"));
            prop_assert_eq!(shape(one), shape(other));
        }
    }
}
