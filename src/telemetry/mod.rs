//! What the program says about itself: the clock, log set-up and every metric.

pub mod clock;
