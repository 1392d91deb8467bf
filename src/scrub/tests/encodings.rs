//! Every vendor's form and every named place, through every writing and surrounding that log lines have.

use super::named_places::{SURE, VAGUE};
use super::scrubber;
use super::secrets::{FLAVOURS, RANDOM_FLAVOURS, VENDORS, filled};
use super::writings::{WRITINGS, Write};
use crate::scrub::Scrubber;

/// Surroundings in which a secret is known by its shape alone: `@` is the secret.
const BARE: &[&str] = &[
    "@",
    "the server said @ and stopped",
    "refused: @.",
    "(@)",
    "[\"@\"]",
    "{\"note\":\"@\"}",
    "a,@,b",
    "Received=@",
    "curl https://mcp.example/v1 -H 'X-Note: @'",
    "input_value='@', input_type=str",
    "line one\n@\nline three",
    "<p>@</p>",
    "note=@&other=1",
    "https://mcp.example/@/mcp",
    "x @\ttail",
    "note => \"@\", other => 1",
    "map[note:[@] other:[1]]",
    "got `@`; want another",
    "{note=@, other=1}",
];

/// Shortest piece of a secret that must not be left.
const PIECE: usize = 8;

/// A piece of the secret that is left in `scrubbed`, however it was written.
fn leaked_piece(secret: &str, write: Write, scrubbed: &str) -> Option<String> {
    let letters: Vec<char> = secret.chars().collect();
    let pieces = letters.windows(PIECE).map(|window| window.iter().collect::<String>());
    pieces.map(|piece| write(&piece)).find(|piece| scrubbed.contains(piece.as_str()))
}

/// What is wrong with the scrubbed form of the place with the secret in it, if anything.
fn fault(scrubber: &Scrubber, place: &str, secret: &str, writing: &(&str, Write)) -> Option<String> {
    let (name, write) = writing;
    let text = write(&place.replacen('@', &secret.replace('^', ""), 1));
    let secret = secret.rsplit('^').next().unwrap_or(secret);
    let scrubbed = scrubber.scrub_text(&text).text.into_owned();
    if let Some(piece) = leaked_piece(secret, *write, &scrubbed).filter(|piece| !write(place).contains(piece.as_str()))
    {
        return Some(format!("leak of {piece} ({name})\n  {text}\n  {scrubbed}"));
    }
    let again = scrubber.scrub_text(&scrubbed).text;
    (again != scrubbed).then(|| format!("again ({name})\n  {text}\n  {scrubbed}\n  {again}"))
}

/// Fails with all faults at once.
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_vendors_form_in_every_surrounding_and_writing() {
    let scrubber = scrubber();
    let mut faults = Vec::new();
    for template in VENDORS {
        let secret = filled(template, 1);
        for place in BARE {
            for writing in WRITINGS {
                faults.extend(fault(&scrubber, place, &secret, writing).map(|fault| format!("{template}: {fault}")));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn every_sure_place_in_every_writing() {
    let scrubber = scrubber();
    let mut faults = Vec::new();
    for place in SURE {
        for flavour in FLAVOURS {
            for writing in WRITINGS {
                faults.extend(fault(&scrubber, place, &filled(flavour, 2), writing));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn every_vague_place_in_every_writing() {
    let scrubber = scrubber();
    let mut faults = Vec::new();
    for place in VAGUE {
        for flavour in RANDOM_FLAVOURS {
            for writing in WRITINGS {
                faults.extend(fault(&scrubber, place, &filled(flavour, 3), writing));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn every_place_inside_a_longer_text() {
    for place in SURE {
        for (before, after) in
            [("upstream said: ", " (401)"), ("{\"message\":\"", "\"}"), ("\n> ", "\n< HTTP/1.1 401\n")]
        {
            let secret = filled("{a32}", 4);
            let text = [before, &place.replacen('@', &secret, 1), after].concat();
            let scrubbed = scrubber().scrub_text(&text);
            assert_eq!(leaked_piece(&secret, str::to_owned, &scrubbed.text), None, "{text}\n  {}", scrubbed.text);
            assert!(scrubbed.text.starts_with(before), "{text}\n  {}", scrubbed.text);
        }
    }
}

#[test]
fn a_cut_off_text_leaks_nothing_either() {
    let scrubber = scrubber();
    let mut faults = Vec::new();
    let places = SURE.iter().filter(|place| place.starts_with(['{', '[']) || place.contains('='));
    for place in places {
        let secret = filled("{a32}", 5);
        let Some(start) = place.find('@') else { continue };
        let text = place.replacen('@', &secret, 1);
        for length in start + PIECE..start + secret.len() {
            let scrubbed = scrubber.scrub_text(&text[..length]).text;
            if leaked_piece(&secret, str::to_owned, &scrubbed).is_some() {
                faults.push(format!("{}\n  {scrubbed}", &text[..length]));
                break;
            }
        }
    }
    assert_none(&faults);
}
