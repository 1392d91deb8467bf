//! Hands a token to a Kafka client. rust-rdkafka does so only when its event is polled, which comes too late for a first
//! question and never for an admin client.
//!
//! One of the four files that may hold `unsafe`; no pointer outlives the call.
#![expect(unsafe_code, reason = "librdkafka takes a token unasked only through its C interface")]

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use rdkafka::bindings as native;
use rdkafka::client::{Client, ClientContext, OAuthToken};
use rdkafka::error::{IsError, KafkaError};

/// librdkafka's own size for such texts.
const ERROR_TEXT_BYTES: usize = 512;

/// Sets the token that the client signs in with from now on.
///
/// # Errors
/// What librdkafka says when it does not take the token, which is never repeated in it.
pub fn set_token<C: ClientContext>(client: &Client<C>, token: &OAuthToken) -> Result<(), KafkaError> {
    let refused = |reason: &str| KafkaError::ClientCreation(format!("the token is not taken: {reason}"));
    let text = CString::new(token.token.as_str()).map_err(|_| refused("it holds a NUL byte"))?;
    let principal = CString::new(token.principal_name.as_str()).map_err(|_| refused("its owner holds a NUL byte"))?;
    let mut error_text: [c_char; ERROR_TEXT_BYTES] = [0; ERROR_TEXT_BYTES];
    // SAFETY: the client's handle is valid while `client` is borrowed; both strings end with NUL and outlive the call,
    // which copies them; no extensions are given; librdkafka writes at most the given size, NUL included.
    let code = unsafe {
        native::rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            text.as_ptr(),
            token.lifetime_ms,
            principal.as_ptr(),
            ptr::null_mut(),
            0,
            error_text.as_mut_ptr(),
            error_text.len(),
        )
    };
    if !code.is_error() {
        return Ok(());
    }
    // SAFETY: the buffer began as zeros and the call leaves a NUL within it.
    let reason = unsafe { CStr::from_ptr(error_text.as_ptr()) };
    Err(refused(&reason.to_string_lossy()))
}
