//! Texts that stand encoded inside a text, taken off layer by layer, each looked at like a text of its own.
//!
//! The scanner reads the common encodings where it stands (`glyph`), which keeps a clean text to one pass. What it does
//! not see through (a whole header dump in percent encoding, brackets as `\u005b`, spreadsheets' doubled quotes) is seen
//! here: a layer is the text with one level of every escape replaced by what it stands for, and remembers where each
//! letter came from. At most [`MAX_LAYERS`] are taken off, each in linear time; texts without escapes have none.

use super::glyph::hex_pair;

/// Most layers that are taken off.
const MAX_LAYERS: usize = 5;

/// Shortest text that is worth it, in bytes.
const SHORTEST: usize = 15;

/// A text with one level of escapes taken off.
#[derive(Debug)]
pub(super) struct Layer {
    /// The letters.
    pub(super) text: Vec<u8>,
    /// Behind each escape: the place in `text`, and the place in what the layer was taken off.
    joints: Vec<(usize, usize)>,
}

impl Layer {
    /// Where the letter at `place` stands in what the layer was taken off.
    fn origin(&self, place: usize) -> usize {
        let next = self.joints.partition_point(|(here, _)| *here <= place);
        match next.checked_sub(1).map(|last| self.joints[last]) {
            Some((here, there)) => there + (place - here),
            None => place,
        }
    }
}

/// The layers under `bytes`, outermost first.
pub(super) fn under(bytes: &[u8]) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    if bytes.len() < SHORTEST || !has_escape_marks(bytes) {
        return layers;
    }
    while layers.len() < MAX_LAYERS {
        let outer = layers.last().map_or(bytes, |layer| &layer.text);
        let Some(layer) = unescaped(outer) else { break };
        layers.push(layer);
    }
    layers
}

/// Where a place of the innermost of `layers` stands in the whole text.
pub(super) fn place_in_text(layers: &[Layer], place: usize) -> usize {
    layers.iter().rev().fold(place, |place, layer| layer.origin(place))
}

/// Whether a byte is there with which an escape begins; a plain loop, so that the compiler makes vectors of it.
fn has_escape_marks(bytes: &[u8]) -> bool {
    let is_mark = |byte: u8| (byte == b'%') | (byte == b'\\') | (byte == b'&');
    bytes.chunks(256).any(|chunk| chunk.iter().fold(false, |seen, byte| seen | is_mark(*byte)))
        || bytes.windows(2).any(|pair| pair == b"\"\"")
        || bytes.windows(3).any(|three| three == b"=3D")
}

/// One level of every escape taken off; `None` when there is none.
fn unescaped(outer: &[u8]) -> Option<Layer> {
    let mut layer = Layer { text: Vec::with_capacity(outer.len()), joints: Vec::new() };
    let mut at = 0;
    let mut copied = 0;
    // A form has no spaces of its own.
    let is_form = !outer.contains(&b' ') && outer.contains(&b'%');
    while at < outer.len() {
        let is_mark = matches!(outer[at], b'%' | b'\\' | b'&' | b'"' | b'=' | b'+');
        let Some((length, byte)) = is_mark.then(|| escape(outer, at, copied, is_form)).flatten() else {
            at += 1;
            continue;
        };
        layer.text.extend_from_slice(&outer[copied..at]);
        layer.text.extend(byte);
        at += length;
        copied = at;
        layer.joints.push((layer.text.len(), at));
    }
    if layer.joints.is_empty() {
        return None;
    }
    layer.text.extend_from_slice(&outer[copied..]);
    Some(layer)
}

/// The escape that begins at `at`: its length and the letter it stands for (none where a line goes on). `after_escape`
/// is where the last escape ended.
fn escape(outer: &[u8], at: usize, after_escape: usize, is_form: bool) -> Option<(usize, Option<u8>)> {
    let rest = &outer[at..];
    match rest[0] {
        b'%' => {
            let byte = hex_pair(&rest[1..]).filter(|byte| byte.is_ascii())?;
            Some((3, Some(byte)))
        }
        // A form's space stands beside its other escapes.
        b'+' => {
            let is_beside = (at > 0 && after_escape == at) || rest[1..].first() == Some(&b'%');
            let follows_scheme =
                [&b"earer"[..], b"asic", b"DPoP", b"oken"].iter().any(|word| outer[..at].ends_with(word));
            (is_form || is_beside && hex_follows(rest, at, after_escape) || follows_scheme).then_some((1, Some(b' ')))
        }
        b'\\' => backslash(rest),
        b'&' => entity(rest),
        b'"' => {
            let before = if at > 0 { outer[at - 1] } else { 0 };
            let is_inside =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'-' | b'_' | b'/' | b'\\');
            let touches = is_inside(before) || rest.get(2).is_some_and(|byte| is_inside(*byte));
            (rest.get(1) == Some(&b'"') && touches).then_some((2, Some(b'"')))
        }
        b'=' if rest.starts_with(b"=3D") => Some((3, Some(b'='))),
        b'=' if rest.starts_with(b"=\r\n") => Some((3, None)),
        _ => None,
    }
}

/// Whether the `+` belongs to a form: an escape with `%` stands on one of its sides.
fn hex_follows(rest: &[u8], at: usize, after_escape: usize) -> bool {
    after_escape == at || rest.get(2..).and_then(hex_pair).is_some()
}

/// A backslash and what it escapes.
fn backslash(rest: &[u8]) -> Option<(usize, Option<u8>)> {
    match *rest.get(1)? {
        same @ (b'"' | b'\'' | b'/' | b'\\' | b'`' | b'&' | b'=' | b':' | b'$') => Some((2, Some(same))),
        b'n' => Some((2, Some(b'\n'))),
        b'r' => Some((2, Some(b'\r'))),
        b't' => Some((2, Some(b'\t'))),
        b'x' => Some((4, Some(hex_pair(rest.get(2..)?).filter(u8::is_ascii)?))),
        b'u' if rest.get(2..4) == Some(b"00") => Some((6, Some(hex_pair(rest.get(4..)?).filter(u8::is_ascii)?))),
        _ => None,
    }
}

/// `&quot;`, `&#34;`, `&#x22;`.
fn entity(rest: &[u8]) -> Option<(usize, Option<u8>)> {
    const NAMED: [(&[u8], u8); 10] = [
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&amp;", b'&'),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&equals;", b'='),
        (b"&colon;", b':'),
        (b"&nbsp;", b' '),
        (b"&sol;", b'/'),
        (b"&comma;", b','),
    ];
    if let Some((name, byte)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((name.len(), Some(*byte)));
    }
    let end = rest.iter().take(8).position(|byte| *byte == b';')?;
    let number = std::str::from_utf8(rest.get(2..end)?).ok()?;
    let value = match number.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u8::from_str_radix(hexadecimal, 16).ok()?,
        None => number.parse::<u8>().ok()?,
    };
    (rest[1] == b'#' && value.is_ascii()).then_some((end + 1, Some(value)))
}

#[cfg(test)]
mod tests {
    use super::{place_in_text, under};

    #[test]
    fn layers_come_off_one_by_one() {
        let cases = [
            ("a plain text of words", &[][..]),
            ("name%3D%22value%22 x", &["name=\"value\" x"]),
            ("{\\\"name\\\":\\\"v\\\"} xx", &["{\"name\":\"v\"} xx"]),
            ("name%253Dvalue xxxx", &["name%3Dvalue xxxx", "name=value xxxx"]),
            ("\\u007b\\u0022a\\u0022\\u007d xx", &["{\"a\"} xx"]),
            ("&quot;name&quot;&#61;1 x", &["\"name\"=1 x"]),
            ("x,\"{\"\"name\"\":1}\",y yy", &["x,\"{\"name\":1}\",y yy"]),
            ("Bearer+abc%2C+def xx", &["Bearer abc, def xx"]),
        ];
        for (text, expected) in cases {
            let layers = under(text.as_bytes());
            let texts: Vec<String> =
                layers.iter().map(|layer| String::from_utf8(layer.text.clone()).expect("ASCII")).collect();
            assert_eq!(texts, expected, "{text}");
        }
    }

    #[test]
    fn a_place_is_found_again_in_the_text() {
        let text = "x%2520name%253D%2522value%2522 tail";
        let layers = under(text.as_bytes());
        let inner = String::from_utf8(layers[1].text.clone()).expect("ASCII");
        let start = inner.find("value").expect("there");
        let range = place_in_text(&layers[..2], start)..place_in_text(&layers[..2], start + "value".len());
        assert_eq!(&text[range], "value");
        let quote = inner.find('"').expect("there");
        let range = place_in_text(&layers[..2], quote)..place_in_text(&layers[..2], quote + 1);
        assert_eq!(&text[range], "%2522");
    }
}
