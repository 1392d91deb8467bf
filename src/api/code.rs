//! Every code a problem document may carry, with its status and title.
//!
//! A code is a promise to scripts: it is added, never renamed. The sentence that says what happened this time is the
//! problem's `detail` ([`super::problem`]).

use axum::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $member:ident = $text:literal, $status:ident, $title:literal;)+) => {
        /// What kind of problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $member,)+
        }

        impl Code {
            /// Every code there is, for the documentation and the tests.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+];

            /// The stable spelling.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$member => $text,)+ }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$member => StatusCode::$status,)+ }
            }

            /// The same short sentence for every occurrence (RFC 9457 §3.1.4).
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$member => $title,)+ }
            }
        }
    };
}

codes! {
    /// An id that is empty, too long or holds control characters.
    BadId = "bad_id", BAD_REQUEST, "The id is not one that could have been issued";
    /// `limit` outside its range.
    BadLimit = "bad_limit", BAD_REQUEST, "The limit is out of range";
    /// A cursor that this service did not make.
    BadCursor = "bad_cursor", BAD_REQUEST, "The cursor cannot be read";
    /// A time that cannot be read, or a range that is empty.
    BadTime = "bad_time", BAD_REQUEST, "The time range cannot be read";
    /// A filter over a closed list with a value outside it.
    BadFilter = "bad_filter", BAD_REQUEST, "A filter has a value outside its list";
    /// A query parameter with a value it cannot have.
    BadParameter = "bad_parameter", BAD_REQUEST, "A query parameter has a value it cannot have";
    /// A query parameter that this call does not know.
    UnknownParameter = "unknown_parameter", BAD_REQUEST, "The call does not know a query parameter";
    /// A query parameter given twice.
    DuplicateParameter = "duplicate_parameter", BAD_REQUEST, "A query parameter is given twice";
    /// No such route.
    NotFound = "not_found", NOT_FOUND, "There is nothing at this address";
    /// No event carries the id.
    RequestNotFound = "request_not_found", NOT_FOUND, "No event is known for this id";
    /// The route exists, the method does not.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The address does not take this method";
    /// The `Host` is not this machine while only this machine is served.
    Misdirected = "misdirected", MISDIRECTED_REQUEST, "The request was meant for another host";
    /// The body was cut off or could not be read.
    BadBody = "bad_body", BAD_REQUEST, "The body could not be read to its end";
    /// The body holds no event.
    NoEvents = "no_events", BAD_REQUEST, "The body holds no event";
    /// The body as a whole is not JSON, so it cannot be split into events.
    NotJson = "not_json", BAD_REQUEST, "The body is not JSON";
    /// The body as a whole is not UTF-8, so it cannot be split into events.
    NotUtf8 = "not_utf8", BAD_REQUEST, "The body is not UTF-8";
    /// The body is larger than allowed.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body holds more events than allowed.
    TooManyEvents = "too_many_events", PAYLOAD_TOO_LARGE, "The body holds too many events";
    /// A content type that holds no events.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The content type is not one of events";
    /// A body in a content encoding.
    UnsupportedContentEncoding = "unsupported_content_encoding", UNSUPPORTED_MEDIA_TYPE, "The body is in a content encoding";
    /// Every event of the body was refused.
    NoEventAccepted = "no_event_accepted", UNPROCESSABLE_ENTITY, "No event of the body was accepted";
    /// As many requests are being answered as allowed.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too many requests are being answered";
    /// The answer took longer than allowed.
    Timeout = "timeout", GATEWAY_TIMEOUT, "The answer took too long";
    /// ClickHouse cannot be reached.
    StoreUnreachable = "store_unreachable", SERVICE_UNAVAILABLE, "The store cannot be reached";
    /// Kafka cannot be reached, or did not confirm in time.
    KafkaUnreachable = "kafka_unreachable", SERVICE_UNAVAILABLE, "Kafka did not confirm";
    /// A part that `serve` needs is down.
    NotReady = "not_ready", SERVICE_UNAVAILABLE, "A needed part is down";
    /// A fault of ours.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_and_their_statuses_are_pinned() {
        let table: Vec<String> =
            Code::ALL.iter().map(|code| format!("{} {}", code.status().as_u16(), code.as_str())).collect();
        insta::assert_snapshot!(table.join("\n"), @r"
        400 bad_id
        400 bad_limit
        400 bad_cursor
        400 bad_time
        400 bad_filter
        400 bad_parameter
        400 unknown_parameter
        400 duplicate_parameter
        404 not_found
        404 request_not_found
        405 method_not_allowed
        421 misdirected
        400 bad_body
        400 no_events
        400 not_json
        400 not_utf8
        413 body_too_large
        413 too_many_events
        415 unsupported_media_type
        415 unsupported_content_encoding
        422 no_event_accepted
        503 overloaded
        504 timeout
        503 store_unreachable
        503 kafka_unreachable
        503 not_ready
        500 internal
        ");
    }
}
