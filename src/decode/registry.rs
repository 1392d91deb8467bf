//! Records of the registry topic: what is registered under a slug, and which key belongs to whom.
//!
//! The topic is compacted; a record without a value deletes what its key names (`server/<workspace>/<slug>`,
//! `key/<key_id>`). The schema is `schemas/events/registry.v1.schema.json`.

use serde::Deserialize;

use super::error::DecodeError;
use super::limits::{self, Limits};
use super::{Payload, text_of};
use crate::event::vocabulary::ClosedEnum;
use crate::event::{CredentialKind, ServerAuth};

/// One fact of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryRecord {
    /// `mcp.registry.server`.
    Server(Server),
    /// `mcp.registry.key`.
    Key(Key),
    /// A deletion, by the record's key.
    Deleted(String),
}

/// What is registered under (workspace, slug).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Workspace it belongs to.
    pub workspace: String,
    /// Name of the server in that workspace.
    pub slug: String,
    /// Registered address.
    pub url: Option<String>,
    /// How the gateway authenticates to it.
    pub server_auth: Option<ServerAuth>,
    /// Its authorization server.
    pub issuer: Option<String>,
    /// Configured scopes, space-separated; `None` when not told.
    pub scopes: Option<String>,
    /// Configuration version.
    pub config_version: Option<String>,
}

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Id of the key, never the key.
    pub key_id: String,
    /// Service or user key.
    pub kind: Option<CredentialKind>,
    /// Workspace it belongs to.
    pub workspace: Option<String>,
    /// Its permissions; `None` when not told.
    pub permissions: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct WireRecord {
    id: Option<String>,
    source: Option<String>,
    r#type: Option<String>,
    time: Option<String>,
    data: Option<WireData>,
}

#[derive(Deserialize)]
struct WireData {
    workspace: Option<String>,
    slug: Option<String>,
    url: Option<String>,
    server_auth: Option<String>,
    issuer: Option<String>,
    scopes: Option<Vec<String>>,
    config_version: Option<serde_json::Value>,
    key_id: Option<String>,
    kind: Option<String>,
    permissions: Option<Vec<String>>,
}

/// Decodes one record of the registry topic; `key` is the record's key.
///
/// # Errors
/// The first fault found, with its stable code.
pub fn decode_registry(
    payload: &Payload<'_>,
    key: Option<&[u8]>,
    limits: &Limits,
) -> Result<RegistryRecord, DecodeError> {
    if payload.value.is_none_or(<[u8]>::is_empty) {
        let key = key.and_then(|key| std::str::from_utf8(key).ok()).ok_or(DecodeError::EmptyRecord)?;
        return Ok(RegistryRecord::Deleted(key.to_owned()));
    }
    let text = text_of(payload.value, limits)?;
    let wire: WireRecord = serde_json::from_str(text).map_err(|fault| explain(&fault, text))?;
    required(wire.id, "id")?;
    required(wire.source, "source")?;
    limits::parse_time(&required(wire.time, "time")?)?;
    let kind = required(wire.r#type, "type")?;
    let data = wire.data.ok_or_else(|| missing("data"))?;
    match kind.as_str() {
        "mcp.registry.server" => Ok(RegistryRecord::Server(Server {
            workspace: required(data.workspace, "data.workspace")?,
            slug: required(data.slug, "data.slug")?,
            url: known(data.url),
            server_auth: known(data.server_auth).map(|text| ServerAuth::parse(&text)),
            issuer: known(data.issuer),
            scopes: data.scopes.map(|scopes| scopes.join(" ")).filter(|scopes| !scopes.is_empty()),
            config_version: version(data.config_version)?,
        })),
        "mcp.registry.key" => Ok(RegistryRecord::Key(Key {
            key_id: required(data.key_id, "data.key_id")?,
            kind: known(data.kind).map(|text| CredentialKind::parse(&text)),
            workspace: known(data.workspace),
            permissions: data.permissions,
        })),
        _ => Err(DecodeError::InvalidField {
            field: "type".to_owned(),
            expected: "mcp.registry.server or mcp.registry.key",
        }),
    }
}

fn explain(fault: &serde_json::Error, text: &str) -> DecodeError {
    if !fault.is_data() {
        return DecodeError::NotJson { line: fault.line(), column: fault.column() };
    }
    if !text.trim_start().starts_with('{') {
        return DecodeError::NotAnObject;
    }
    DecodeError::InvalidField {
        field: "data".to_owned(),
        expected: "see the registry contract for the types of its members",
    }
}

fn known(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn missing(field: &str) -> DecodeError {
    DecodeError::MissingField { field: field.to_owned() }
}

fn required(text: Option<String>, field: &str) -> Result<String, DecodeError> {
    known(text).ok_or_else(|| missing(field))
}

fn version(value: Option<serde_json::Value>) -> Result<Option<String>, DecodeError> {
    match value {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(known(Some(text))),
        Some(serde_json::Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(DecodeError::InvalidField {
            field: "data.config_version".to_owned(),
            expected: "a string or a whole number",
        }),
    }
}
