//! Which texts a regex cannot match without, so that most patterns need not be asked about most texts.
//!
//! Reads the syntax of the `regex` crate as far as rules use it, and says "cannot be told" of everything else: too few
//! required texts cost time, wrong ones would cost matches. Letters are compared in lower case (ASCII), as patterns are.

use std::iter::Peekable;
use std::str::Chars;

/// Shorter texts stand in too many others to tell anything.
const SHORTEST: usize = 3;

/// Texts of which one must be there.
pub type OneOf = Vec<String>;

/// What whatever `expression` matches must hold: one of each of these lists. No list when that cannot be told.
#[must_use]
pub fn required_texts(expression: &str) -> Vec<OneOf> {
    let mut parser = Parser { rest: expression.chars().peekable() };
    match parser.alternatives() {
        Ok(required) if parser.rest.next().is_none() => required,
        // Syntax that is not read, or a closing bracket too many.
        _ => Vec::new(),
    }
}

/// Syntax that is not read here.
struct Unread;

/// One item of a sequence.
enum Item {
    /// This character.
    Character(char),
    /// Something that takes no room: an anchor, the edge of a word.
    Edge,
    /// Some character.
    Class,
    /// A group and what it requires.
    Group(Vec<OneOf>),
}

struct Parser<'e> {
    rest: Peekable<Chars<'e>>,
}

impl Parser<'_> {
    /// Sequences separated by `|`: one of them must be there, so one of what is most telling in each.
    fn alternatives(&mut self) -> Result<Vec<OneOf>, Unread> {
        let first = self.sequence()?;
        if self.rest.peek() != Some(&'|') {
            return Ok(first);
        }
        let mut all = most_telling(first);
        while self.rest.next_if_eq(&'|').is_some() {
            let next = most_telling(self.sequence()?);
            all = all.zip(next).map(|(all, next)| [all, next].concat());
        }
        Ok(all.into_iter().collect())
    }

    /// Items in a row: what each of them requires.
    fn sequence(&mut self) -> Result<Vec<OneOf>, Unread> {
        let mut required = Vec::new();
        let mut run = String::new();
        while let Some(character) = self.rest.next_if(|next| !matches!(next, '|' | ')')) {
            let item = self.item(character)?;
            let (least, is_repeated) = self.repetition()?;
            match item {
                Item::Edge => {}
                Item::Character(character) if least > 0 => {
                    run.push(character.to_ascii_lowercase());
                    if is_repeated {
                        end_run(&mut run, &mut required);
                    }
                }
                Item::Group(inside) if least > 0 => {
                    end_run(&mut run, &mut required);
                    required.extend(inside);
                }
                Item::Character(_) | Item::Class | Item::Group(_) => end_run(&mut run, &mut required),
            }
        }
        end_run(&mut run, &mut required);
        Ok(required)
    }

    fn item(&mut self, character: char) -> Result<Item, Unread> {
        match character {
            '(' => {
                if self.rest.next_if_eq(&'?').is_some() && self.rest.next() != Some(':') {
                    return Err(Unread);
                }
                let required = self.alternatives()?;
                self.rest.next_if_eq(&')').map(|_| Item::Group(required)).ok_or(Unread)
            }
            '[' => self.class().map(|()| Item::Class),
            '\\' => match self.rest.next().ok_or(Unread)? {
                'b' if self.rest.peek() == Some(&'{') => Err(Unread),
                'b' | 'B' => Ok(Item::Edge),
                'd' | 'D' | 'w' | 'W' | 's' | 'S' => Ok(Item::Class),
                other if other.is_ascii_alphanumeric() => Err(Unread),
                other => Ok(Item::Character(other)),
            },
            '.' => Ok(Item::Class),
            '^' | '$' => Ok(Item::Edge),
            '*' | '+' | '?' | '{' => Err(Unread),
            other => Ok(Item::Character(other)),
        }
    }

    /// A class in brackets, up to its end.
    fn class(&mut self) -> Result<(), Unread> {
        self.rest.next_if_eq(&'^');
        self.rest.next_if_eq(&']');
        loop {
            match self.rest.next().ok_or(Unread)? {
                ']' => return Ok(()),
                '\\' => drop(self.rest.next()),
                // Named classes and sets of sets.
                '[' => return Err(Unread),
                _ => {}
            }
        }
    }

    /// How often the item before must be there at least, and whether it may be there more than once.
    fn repetition(&mut self) -> Result<(u32, bool), Unread> {
        let Some(sign) = self.rest.next_if(|next| matches!(next, '*' | '+' | '?' | '{')) else { return Ok((1, false)) };
        let least = match sign {
            '+' => 1,
            '{' => self.counted()?,
            _ => 0,
        };
        self.rest.next_if_eq(&'?');
        // One repetition of another is legal and rare.
        let goes_on = self.rest.peek().is_some_and(|next| matches!(next, '*' | '+' | '?' | '{'));
        if goes_on { Err(Unread) } else { Ok((least, true)) }
    }

    /// The least of `{least,most}`.
    fn counted(&mut self) -> Result<u32, Unread> {
        let mut inside = String::new();
        loop {
            match self.rest.next().ok_or(Unread)? {
                '}' => break,
                other => inside.push(other),
            }
        }
        inside.split(',').next().and_then(|least| least.trim().parse().ok()).ok_or(Unread)
    }
}

fn end_run(run: &mut String, required: &mut Vec<OneOf>) {
    let text = std::mem::take(run);
    if text.len() >= SHORTEST {
        required.push(vec![text]);
    }
}

/// The list that the fewest texts meet, as far as its shortest text tells.
fn most_telling(required: Vec<OneOf>) -> Option<OneOf> {
    required.into_iter().max_by_key(|texts| texts.iter().map(String::len).min())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::Union;
    use proptest::string::string_regex;

    use super::required_texts;
    use crate::classify::testing::CLASSIFIER;

    #[test]
    fn what_cannot_be_missing_is_told() {
        let cases: [(&str, &[&[&str]]); 17] = [
            (r"\bgetaddrinfo\b", &[&["getaddrinfo"]]),
            (r"\bSSLError\b", &[&["sslerror"]]),
            ("(not found|gone away)", &[&["not found", "gone away"]]),
            ("(not found|no)", &[]),
            ("abc|d(efg|hij) klm", &[&["abc", " klm"]]),
            (r"\bdns (error|failure)", &[&["dns "], &["error", "failure"]]),
            (r"certificate.*(bad|old)", &[&["certificate"], &["bad", "old"]]),
            ("colou?red", &[&["colo"], &["red"]]),
            ("abc+de", &[&["abc"]]),
            ("abc*def", &[&["def"]]),
            ("(abcdef)?ghi", &[&["ghi"]]),
            ("(?:abc){2}", &[&["abc"]]),
            ("(abc){0,2}", &[]),
            (r"a\.b[^\]x]cde", &[&["a.b"], &["cde"]]),
            ("(?i)abc", &[]),
            (r"\x41bcd", &[]),
            (r"[[:alpha:]]abc", &[]),
        ];
        for (expression, expected) in cases {
            assert_eq!(required_texts(expression), expected, "{expression}");
        }
    }

    #[test]
    fn nearly_every_pattern_of_the_rules_requires_something() {
        let expressions: Vec<&str> = CLASSIFIER.patterns().expressions().collect();
        let without: Vec<&&str> =
            expressions.iter().filter(|expression| required_texts(expression).is_empty()).collect();
        assert!(without.len() * 10 < expressions.len(), "{} of {}: {without:?}", without.len(), expressions.len());
    }

    /// Texts made from the patterns themselves; without their edges, which the generator does not know.
    fn matching_texts() -> impl Strategy<Value = String> {
        let plain = |expression: &str| expression.replace(r"\b", "").replace(r"\B", "").replace(['^', '$'], "");
        let usable = CLASSIFIER.patterns().expressions().filter(|expression| !expression.contains("[^"));
        Union::new(usable.filter_map(|expression| string_regex(&plain(expression)).ok()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_pattern_that_matches_is_asked(before in "[a-z ]{0,5}", text in matching_texts(), after in "[a-z ]{0,5}") {
            let text = format!("{before} {text} {after}");
            let patterns = CLASSIFIER.patterns();
            let direct: Vec<usize> = (0..patterns.len()).filter(|number| patterns.span(*number, &text).is_some()).collect();
            let matches = patterns.of_text(&text);
            let gated: Vec<usize> = (0..patterns.len()).filter(|number| matches.contains(*number, patterns, &text)).collect();
            prop_assert_eq!(direct, gated);
        }
    }
}
