//! An error with everything that led to it, in one line of the log.

/// The error and its sources, outermost first, separated by `: `.
#[must_use]
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes: Vec<String> =
        std::iter::successors(Some(error), |cause| cause.source()).map(ToString::to_string).collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::with_causes;

    #[derive(Debug, Error)]
    #[error("the batch was not stored")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_outermost_comes_first() {
        let error = Outer(std::io::Error::other("connection reset"));
        assert_eq!(with_causes(&error), "the batch was not stored: connection reset");
    }
}
