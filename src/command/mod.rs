//! (step under construction)
pub mod scrub;
