//! Where records come from: bytes with their topic, partition, offset, timestamp and headers. Never interprets them.

pub mod client;
pub mod committed;
pub mod fault;
pub mod group;
pub mod kafka;
pub mod oauth;
pub mod probe;
pub mod registry;
pub mod registry_follower;
pub mod reread;
pub mod token_native;
pub mod topic;
pub mod topic_id;
pub mod unowned;

use std::sync::Arc;

use crate::decode::Payload;

/// One record as it was delivered.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Topic it lies in.
    pub topic: &'a Arc<str>,
    /// Partition, from 0.
    pub partition: i32,
    /// Offset, from 0.
    pub offset: i64,
    /// Value, headers and timestamp.
    pub payload: Payload<'a>,
}
