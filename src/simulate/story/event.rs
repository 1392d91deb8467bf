//! One event of a story: what its step always holds, what the story adds, less what the product does not send.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::simulate::template::{Choices, Piece, prepare};

/// What an event changes in the simulated world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// A sign-in gave the connection new tokens.
    Grant,
    /// A refresh gave the connection a new access token and, if the issuer rotates, a new refresh token.
    Refresh,
    /// The integration's configuration was edited.
    Configure,
}

/// An event ready to be written.
#[derive(Debug)]
pub struct PreparedEvent {
    /// Its `type`.
    pub event_type: String,
    /// How long after the event before it, microseconds, least and most.
    pub after: (u64, u64),
    /// The request it belongs to, from 1; 0: none.
    pub request: usize,
    /// What it changes.
    pub effect: Effect,
    /// Whether it carries a connection id.
    pub has_connection: bool,
    /// Whether it carries a flow id.
    pub has_flow: bool,
    /// Whether it carries the id of its request.
    pub has_request: bool,
    /// Its `data`.
    pub data: Vec<Piece>,
}

/// The members of an event in the files: the reserved ones here, all others belong to `data`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Sketch {
    /// The step it is (in a story) or builds on (in `steps.toml`).
    pub step: Option<String>,
    /// `type` of the event.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// Least and most milliseconds after the event before it.
    pub after: Option<(u64, u64)>,
    /// The request it belongs to, from 1; 0: none.
    pub request: Option<usize>,
    /// What it changes.
    pub effect: Option<Effect>,
    /// Paths in `data` that this event does not have.
    #[serde(default)]
    pub omit: Vec<String>,
    /// Members of `data`.
    #[serde(flatten)]
    pub data: Map<String, Value>,
}

/// The steps of `steps.toml` by name.
pub type Steps = BTreeMap<String, Sketch>;

/// How many steps may build on each other.
const LONGEST_CHAIN: usize = 6;

/// Prepares an event of a story for a product that leaves out `product_omit` (`step.path` or `*.path`).
///
/// # Errors
/// A sentence: an unknown step, a step without a type, an unknown name in a text.
pub fn prepare_event(
    sketch: &Sketch,
    steps: &Steps,
    choices: &[&Choices],
    product_omit: &[String],
) -> Result<PreparedEvent, String> {
    let step = sketch.step.as_deref().ok_or("an event names no step")?;
    let mut whole = resolve(step, steps, LONGEST_CHAIN)?;
    for omission in product_omit {
        let (owner, path) = omission.split_once('.').ok_or_else(|| format!("`{omission}` names no step"))?;
        if owner == "*" || owner == step {
            remove(&mut whole.data, path);
        }
    }
    overlay(&mut whole, sketch);
    let after = whole.after.unwrap_or((1, 12));
    Ok(PreparedEvent {
        event_type: whole.event_type.ok_or_else(|| format!("step `{step}` has no type"))?,
        after: (after.0 * 1000, after.1 * 1000),
        request: whole.request.unwrap_or(1),
        effect: whole.effect.unwrap_or_default(),
        has_connection: whole.data.contains_key("connection_id"),
        has_flow: whole.data.contains_key("flow_id"),
        has_request: whole.data.contains_key("request_id"),
        data: prepare(&Value::Object(whole.data), choices)?,
    })
}

/// A step with all that it builds on.
fn resolve(name: &str, steps: &Steps, links: usize) -> Result<Sketch, String> {
    let step = steps.get(name).ok_or_else(|| format!("there is no step `{name}`"))?;
    let Some(base) = &step.step else {
        return Ok(step.clone());
    };
    if links == 0 {
        return Err(format!("step `{name}` builds on more than {LONGEST_CHAIN} others"));
    }
    let mut whole = resolve(base, steps, links - 1)?;
    overlay(&mut whole, step);
    Ok(whole)
}

fn overlay(whole: &mut Sketch, upper: &Sketch) {
    if upper.event_type.is_some() {
        whole.event_type.clone_from(&upper.event_type);
    }
    whole.after = upper.after.or(whole.after);
    whole.request = upper.request.or(whole.request);
    whole.effect = upper.effect.or(whole.effect);
    merge(&mut whole.data, &upper.data);
    for path in &upper.omit {
        remove(&mut whole.data, path);
    }
}

/// Objects are merged member by member; everything else is replaced.
fn merge(lower: &mut Map<String, Value>, upper: &Map<String, Value>) {
    for (name, value) in upper {
        match (lower.get_mut(name), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            _ => {
                lower.insert(name.clone(), value.clone());
            }
        }
    }
}

fn remove(data: &mut Map<String, Value>, path: &str) {
    match path.split_once('.') {
        None => {
            data.remove(path);
        }
        Some((name, rest)) => {
            if let Some(Value::Object(inner)) = data.get_mut(name) {
                remove(inner, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn steps_build_on_each_other_and_products_leave_out() {
        let steps: Steps = serde_json::from_value(json!({
            "any": {"hop": "downstream", "http": {"method": "POST", "status": 200}},
            "request": {"step": "any", "type": "mcp.request.completed", "after": [1, 2], "slug": "issues"},
        }))
        .unwrap();
        let sketch: Sketch =
            serde_json::from_value(json!({"step": "request", "http": {"status": 401}, "omit": ["http.method"]}))
                .unwrap();
        let event = prepare_event(&sketch, &steps, &[], &["request.slug".into(), "other.hop".into()]).unwrap();
        assert_eq!(event.after, (1000, 2000));
        let [Piece::Literal(data)] = event.data.as_slice() else {
            panic!("no blanks were given");
        };
        let data: Value = serde_json::from_slice(data).unwrap();
        assert_eq!(data, json!({"hop": "downstream", "http": {"status": 401}}));
    }

    #[test]
    fn an_unknown_step_is_refused() {
        let sketch: Sketch = serde_json::from_value(json!({"step": "dance"})).unwrap();
        assert!(prepare_event(&sketch, &Steps::new(), &[], &[]).is_err());
    }
}
