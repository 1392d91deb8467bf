//! One member of something that several events tell about: unknown, known, or contradicted.

use super::inline_text::InlineText;

/// Longer texts are not remembered: nothing that is a name or an id is longer, and it bounds an entry.
pub const LONGEST: usize = 200;

/// What events have said about one member. Once two of them differ it stays contradicted: then nobody knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fact<const N: usize> {
    /// Nothing.
    #[default]
    Unknown,
    /// Always the same.
    Known(InlineText<N>),
    /// Different things, or something that cannot be remembered.
    Contradicted,
}

impl<const N: usize> Fact<N> {
    /// Takes in what an event says; how many bytes more are on the heap.
    pub fn note(&mut self, said: Option<&str>) -> usize {
        let Some(said) = said else { return 0 };
        match self {
            Self::Known(known) if known.is(said) => 0,
            Self::Unknown if said.len() <= LONGEST => {
                let text = InlineText::new(said);
                let bytes = text.heap_bytes();
                *self = Self::Known(text);
                bytes
            }
            Self::Contradicted => 0,
            Self::Unknown | Self::Known(_) => {
                *self = Self::Contradicted;
                0
            }
        }
    }

    /// What is known.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text.as_str()),
            Self::Unknown | Self::Contradicted => None,
        }
    }

    /// Bytes that it has on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Known(text) => text.heap_bytes(),
            Self::Unknown | Self::Contradicted => 0,
        }
    }

    /// Whether events have said different things.
    #[must_use]
    pub fn is_contradicted(&self) -> bool {
        matches!(self, Self::Contradicted)
    }

    /// Whether it can be what an event says; unknown on either side can.
    #[must_use]
    pub fn agrees(&self, said: Option<&str>) -> bool {
        match (self, said) {
            (Self::Known(known), Some(said)) => known.is(said),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fact;

    #[test]
    fn two_that_differ_are_never_known_again() {
        let long = "x".repeat(201);
        let cases: [(&[Option<&str>], Option<&str>); 6] = [
            (&[], None),
            (&[None, Some("a"), None, Some("a")], Some("a")),
            (&[Some("a"), Some("b")], None),
            (&[Some("a"), Some("b"), Some("a"), Some("a")], None),
            (&[Some(&long)], None),
            (&[Some("a"), Some(&long)], None),
        ];
        for (said, expected) in cases {
            let mut fact = Fact::<22>::default();
            for value in said {
                fact.note(*value);
            }
            assert_eq!(fact.known(), expected, "{said:?}");
        }
        assert_eq!(size_of::<Fact<22>>(), 24);
    }

    #[test]
    fn only_a_known_value_disagrees() {
        let mut fact = Fact::<22>::default();
        assert!(fact.agrees(Some("a")));
        fact.note(Some("a"));
        assert!(fact.agrees(Some("a")) && fact.agrees(None) && !fact.agrees(Some("b")));
    }
}
