//! A short text kept in place, so that comparing it follows no pointer; a longer one is kept on the heap.

/// A text; up to `N` bytes of it lie here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InlineText<const N: usize> {
    /// In place.
    Here {
        /// How many of the bytes are it.
        length: u8,
        /// The text, and zeros.
        bytes: [u8; N],
    },
    /// On the heap.
    Elsewhere(Box<[u8]>),
}

impl<const N: usize> InlineText<N> {
    /// A copy of `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        match u8::try_from(text.len()) {
            Ok(length) if text.len() <= N => {
                let mut bytes = [0; N];
                bytes[..text.len()].copy_from_slice(text.as_bytes());
                Self::Here { length, bytes }
            }
            _ => Self::Elsewhere(text.as_bytes().into()),
        }
    }

    /// Whether it is `text`.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.bytes() == text.as_bytes()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Made of a `str`, so it is one.
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    /// Bytes that it has on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Here { .. } => 0,
            Self::Elsewhere(bytes) => bytes.len(),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Here { length, bytes } => &bytes[..usize::from(*length)],
            Self::Elsewhere(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InlineText;

    #[test]
    fn a_text_comes_back_whatever_its_length() {
        for text in ["", "a", "ümläut", &"x".repeat(22), &"x".repeat(23), &"é".repeat(200)] {
            let kept = InlineText::<22>::new(text);
            assert_eq!(kept.as_str(), text);
            assert!(kept.is(text) && !kept.is("another"));
            assert_eq!(kept.heap_bytes() > 0, text.len() > 22, "{text}");
        }
        assert_eq!(size_of::<InlineText<22>>(), 24);
        assert_eq!(size_of::<InlineText<46>>(), 48);
    }
}
