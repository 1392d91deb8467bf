//! How many letters two names differ in: for "did you mean".

/// Names are compared up to this many characters, so that the cost is bounded.
const LONGEST_COMPARED: usize = 64;

/// Levenshtein distance in characters, row by row; both sides are cut at [`LONGEST_COMPARED`].
#[must_use]
pub fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(LONGEST_COMPARED).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, letter) in left.chars().take(LONGEST_COMPARED).enumerate() {
        let mut next = vec![above + 1];
        for (index, other) in right.iter().enumerate() {
            let substituted = row.get(index).copied().unwrap_or_default() + usize::from(letter != *other);
            let removed = row.get(index + 1).copied().unwrap_or_default() + 1;
            let added = next.get(index).copied().unwrap_or_default() + 1;
            next.push(substituted.min(removed).min(added));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::edit_distance;

    #[test]
    fn letters_that_differ_are_counted() {
        for (left, right, expected) in
            [("", "", 0), ("github", "githbu", 2), ("wiki", "wiki", 0), ("jira", "", 4), ("ü", "u", 1)]
        {
            assert_eq!(edit_distance(left, right), expected, "{left} {right}");
        }
        assert_eq!(edit_distance(&"x".repeat(10_000), "x"), 63);
    }
}
