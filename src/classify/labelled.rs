//! A message and the class that people gave it: what the classifier is measured with, and what resemblance is learned from.

use serde::Deserialize;

/// One labelled message.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry {
    /// Name of the entry.
    #[serde(default)]
    pub id: Option<String>,
    /// The words.
    pub message: String,
    /// HTTP status seen with it.
    #[serde(default)]
    pub http_status: Option<u16>,
    /// OAuth error code seen with it.
    #[serde(default)]
    pub oauth_error: Option<String>,
    /// Where it was seen.
    #[serde(default)]
    pub phase: Option<String>,
    /// On which hop it was seen.
    #[serde(default)]
    pub hop: Option<String>,
    /// The right class.
    pub class: String,
    /// Other classes that count as right.
    #[serde(default)]
    pub also_accept: Vec<String>,
    /// Whether `unclassified` counts as right too.
    #[serde(default)]
    pub undecidable_from_text: bool,
}
