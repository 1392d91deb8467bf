//! Data: the words that tell about a value instead of being one. Lower case, sorted, for a binary search.

/// First words of a sentence about a value, or of a value that stands for "none". Lower case.
#[rustfmt::skip]
pub(super) const STATUS: &[&str] = &[
    "absent", "active", "bad", "bool", "boolean", "cannot", "changed", "contains", "could", "denied", "different",
    "disabled", "does", "empty", "enabled", "error", "exceeded", "expected", "expired", "failed", "failure", "false",
    "field", "filtered", "forbidden", "format", "generic", "has", "header", "hidden", "incorrect", "input",
    "insufficient", "int", "integer", "invalid", "is", "malformed", "masked", "mismatch", "missing", "must", "nil",
    "no", "none", "not", "null", "number", "ok", "omitted", "optional", "present", "redacted", "rejected", "required",
    "revoked", "secretstr", "should", "str", "string", "true", "unauthorized", "undefined", "unexpected", "unknown",
    "unset", "unsupported", "unverified", "valid", "value", "was", "wrong",
];

/// More first words after an unquoted name and `:`, where prose goes on. Lower case.
#[rustfmt::skip]
pub(super) const PROSE: &[&str] = &[
    "a", "access", "after", "all", "an", "and", "any", "api", "are", "as", "at", "authentication", "authorization",
    "basic", "be", "bearer", "because", "both", "but", "by", "call", "can", "check", "client", "cookie", "credential",
    "credentials", "decryption", "digest", "each", "either", "exchange", "expiry", "fetch", "for", "from", "get",
    "grant", "have", "http", "https", "if", "in", "incomplete", "issue", "issued", "issuer", "it", "its", "jwt",
    "key", "may", "more", "neither", "never", "new", "oauth", "of", "old", "on", "only", "or", "please", "provider",
    "received", "refresh", "refused", "request", "response", "retry", "scheme", "scope", "server", "session", "set",
    "sign", "signature", "some", "such", "that", "the", "there", "these", "they", "this", "to", "token", "tokens",
    "too", "type", "unable", "update", "use", "used", "user", "validation", "verification", "we", "were", "when",
    "which", "while", "will", "with", "without", "you", "your",
];

/// Parts of what stands in brackets instead of a value. Lower case.
#[rustfmt::skip]
pub(super) const HIDDEN: &[&str] = &[
    "redact", "mask", "hidden", "filter", "omit", "remov", "secret", "token", "password", "null", "none", "empty",
    "sensitive", "scrub", "your", "xxx", "...", "**", "protected", "censored", "private", "deleted", "truncated",
    "value", "key", "object", "bytes", "email",
];

#[cfg(test)]
mod tests {
    use super::{PROSE, STATUS};

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(STATUS.is_sorted() && PROSE.is_sorted());
    }
}
