//! What commands that print for people share: colours on or off, tables, and text that cannot steer a terminal.

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};

/// How output for people looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStyle {
    /// No escape sequences: files, pipes, `NO_COLOR` (no-color.org).
    Plain,
    /// Colours, and tables as wide as the terminal.
    Colour,
}

impl OutputStyle {
    /// The style for an output that takes colours, or does not.
    #[must_use]
    pub fn of(colours: bool) -> Self {
        if colours { Self::Colour } else { Self::Plain }
    }

    /// `text` in a colour, where there are colours.
    #[must_use]
    pub fn paint(self, text: &str, style: anstyle::Style) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("{style}{text}{style:#}"),
        }
    }

    /// An empty table with this header.
    #[must_use]
    pub fn table(self, header: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        match self {
            Self::Plain => table.force_no_tty().set_content_arrangement(ContentArrangement::Disabled),
            Self::Colour => table.enforce_styling().set_content_arrangement(ContentArrangement::Dynamic),
        };
        table.set_header(header.iter().map(|name| Cell::new(name).fg(Color::DarkGrey)));
        table
    }
}

/// Bold, for what matters most.
pub const BOLD: anstyle::Style = anstyle::Style::new().bold();
/// For what failed.
pub const BAD: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
/// For what went well.
pub const GOOD: anstyle::Style = anstyle::AnsiColor::Green.on_default().bold();
/// For what is said in passing.
pub const FAINT: anstyle::Style = anstyle::Style::new().dimmed();

/// Text of a stranger, safe on a terminal: control characters and those that turn the direction of writing are
/// replaced, so that a message can neither move the cursor nor hide what stands beside it.
#[must_use]
pub fn printable(text: &str) -> String {
    let replaced = |character: char| match character {
        '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
        '\n' | '\r' | '\t' => ' ',
        other if other.is_control() => '\u{FFFD}',
        other => other,
    };
    text.chars().map(replaced).collect()
}

/// [`printable`], cut to so many characters, with an ellipsis where something was cut.
#[must_use]
pub fn printable_start(text: &str, characters: usize) -> String {
    let all = printable(text);
    match all.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &all[..end]),
        None => all,
    }
}

#[cfg(test)]
mod tests {
    use super::{BAD, OutputStyle, printable, printable_start};

    #[test]
    fn a_message_cannot_steer_the_terminal() {
        for text in ["\u{1b}[2Jgone", "a\u{7}b", "\u{202E}evil", "\u{9b}31m", "a\0b"] {
            assert!(!printable(text).chars().any(|c| c.is_control() || c == '\u{202E}'), "{text:?}");
        }
        assert_eq!(printable("two\nlines — ünï"), "two lines — ünï");
        assert_eq!(printable_start("日本語", 2), "日本…");
        assert_eq!(printable_start("日本", 2), "日本");
    }

    #[test]
    fn plain_output_has_no_escape_sequences() {
        assert_eq!(OutputStyle::Plain.paint("x", BAD), "x");
        assert!(OutputStyle::Colour.paint("x", BAD).contains('\u{1b}'));
        let mut table = OutputStyle::Plain.table(&["a"]);
        table.add_row(["b"]);
        assert!(!table.to_string().contains('\u{1b}'));
    }
}
