//! The `gatetrail` binary.

fn main() {}
