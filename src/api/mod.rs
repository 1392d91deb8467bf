//! Step under construction.
