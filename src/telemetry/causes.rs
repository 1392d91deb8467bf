//! An error with everything that led to it, in one line for the log or a person.

/// The error and its sources, outermost first, separated by `: `. Some libraries say a cause in the error as well; what
/// was said is not repeated.
#[must_use]
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| cause.source()) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::with_causes;

    #[derive(Debug, Error)]
    #[error("{text}")]
    struct Outer {
        text: &'static str,
        source: std::io::Error,
    }

    #[test]
    fn the_outermost_comes_first_and_nothing_comes_twice() {
        for text in ["the batch was not stored", "the batch was not stored: connection reset"] {
            let error = Outer { text, source: std::io::Error::other("connection reset") };
            assert_eq!(with_causes(&error), "the batch was not stored: connection reset");
        }
    }
}
