//! The id of a topic (KIP-516): a topic created anew under the same name has another, so rows of both never mix.
//!
//! rust-rdkafka has no call for it, librdkafka has. This is one of the four files that may hold `unsafe`; every pointer
//! lives inside [`topic_id`] and is given back by a guard.
#![expect(unsafe_code, reason = "librdkafka's DescribeTopics is reachable only through its C interface")]

use std::ffi::{CStr, CString};
use std::ptr;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{IsError, RDKafkaErrorCode};
use thiserror::Error;

/// Why the id is not known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TopicIdError {
    /// The name cannot be a topic's.
    #[error("the topic's name holds a NUL byte")]
    Name,
    /// No broker answered in time.
    #[error("no broker answered in time")]
    TimedOut,
    /// The broker refused, or is too old to know ids (before Kafka 2.8).
    #[error("the broker refused: {0}")]
    Refused(RDKafkaErrorCode),
    /// The answer holds no id.
    #[error("the broker's answer holds no id")]
    Absent,
}

/// Gives a C object back when it goes out of scope.
struct Guard<T>(*mut T, unsafe extern "C" fn(*mut T));

impl<T> Drop for Guard<T> {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the pointer came from the constructor that belongs to this destructor and is used nowhere else
            // afterwards.
            unsafe { (self.1)(self.0) };
        }
    }
}

/// The id of `topic` as Kafka's own tools print it: 22 characters of URL-safe base64. Waits up to `timeout`.
///
/// # Errors
/// [`TopicIdError`].
pub fn topic_id<C: ClientContext>(client: &Client<C>, topic: &str, timeout: Duration) -> Result<String, TopicIdError> {
    let name = CString::new(topic).map_err(|_| TopicIdError::Name)?;
    let mut names = [name.as_ptr()];
    let wait_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    let handle = client.native_ptr();
    // SAFETY: `handle` is valid while `client` is borrowed. `names` outlives the call that copies it. The collection,
    // the queue and the event are freed by their guards, in reverse order of creation, after the last use of what they
    // own (the result, the description and the id belong to the event). Null is checked before each use.
    unsafe {
        let topics = Guard(
            native::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len()),
            native::rd_kafka_TopicCollection_destroy,
        );
        let queue = Guard(native::rd_kafka_queue_new(handle), native::rd_kafka_queue_destroy);
        native::rd_kafka_DescribeTopics(handle, topics.0, ptr::null(), queue.0);
        let event = Guard(native::rd_kafka_queue_poll(queue.0, wait_ms), native::rd_kafka_event_destroy);
        if event.0.is_null() {
            return Err(TopicIdError::TimedOut);
        }
        refused(native::rd_kafka_event_error(event.0))?;
        let result = native::rd_kafka_event_DescribeTopics_result(event.0);
        if result.is_null() {
            return Err(TopicIdError::Absent);
        }
        let mut count = 0;
        let descriptions = native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if count == 0 || descriptions.is_null() {
            return Err(TopicIdError::Absent);
        }
        let description = *descriptions;
        let error = native::rd_kafka_TopicDescription_error(description);
        if !error.is_null() {
            refused(native::rd_kafka_error_code(error))?;
        }
        let id = native::rd_kafka_TopicDescription_topic_id(description);
        let text = if id.is_null() { ptr::null() } else { native::rd_kafka_Uuid_base64str(id) };
        if text.is_null() {
            return Err(TopicIdError::Absent);
        }
        CStr::from_ptr(text).to_str().map(str::to_owned).map_err(|_| TopicIdError::Absent)
    }
}

fn refused(code: native::rd_kafka_resp_err_t) -> Result<(), TopicIdError> {
    if code.is_error() { Err(TopicIdError::Refused(code.into())) } else { Ok(()) }
}
