//! (step under construction)
pub mod engine;
