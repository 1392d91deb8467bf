//! Deduplication tokens: `v1:<topic id>:<topic>:<partition>:<first>:<next>`, then `:dlq` for dead letters, then `:r<n>`
//! for the n-th repair.
//!
//! A token names the same rows for ever. Neither a topic nor its id can hold a colon.

/// The token of the n-th repair of this insert. The plan's own token stands for repair 0.
#[must_use]
pub fn of_repair(token: &str, repair: u32) -> String {
    if repair == 0 { token.to_owned() } else { format!("{token}:r{repair}") }
}

/// The token of the same rows' part between two offsets; `None` when `token` has not the form of one.
#[must_use]
pub fn of_range(token: &str, first: i64, next: i64) -> Option<String> {
    let parts: Vec<&str> = token.split(':').collect();
    let [version, topic_id, topic, partition, _, _, kind @ ..] = parts.as_slice() else { return None };
    let mut renamed = format!("{version}:{topic_id}:{topic}:{partition}:{first}:{next}");
    // A repair belongs to the range it repaired; the new range counts its own.
    for part in kind.iter().filter(|part| !is_repair(part)) {
        renamed = format!("{renamed}:{part}");
    }
    Some(renamed)
}

fn is_repair(part: &str) -> bool {
    part.strip_prefix('r').is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{of_range, of_repair};

    #[test]
    fn tokens_of_repairs_and_of_parts() {
        let events = "v1:AbC-_9:mcp.auth:3:100:200";
        let letters = "v1:AbC-_9:mcp.auth:3:100:200:dlq";
        assert_eq!(of_repair(events, 0), events);
        assert_eq!(of_repair(letters, 2), "v1:AbC-_9:mcp.auth:3:100:200:dlq:r2");
        assert_eq!(of_range(events, 100, 150).as_deref(), Some("v1:AbC-_9:mcp.auth:3:100:150"));
        assert_eq!(of_range(letters, 150, 200).as_deref(), Some("v1:AbC-_9:mcp.auth:3:150:200:dlq"));
        assert_eq!(of_range(&of_repair(letters, 1), 150, 200).as_deref(), Some("v1:AbC-_9:mcp.auth:3:150:200:dlq"));
        assert_eq!(of_range("something else", 0, 1), None);
    }
}
