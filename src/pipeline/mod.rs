//! (step under construction)
