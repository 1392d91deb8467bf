//! The answer key: what a verdict on each request should say, one line of JSON a request.

use super::cast::Cast;
use super::story::Answer;
use super::text::ShortText;

/// Appends `{"request_id","class","hop","story","workspace","slug"}` and a line feed. All values are plain names.
pub fn push_answer(out: &mut Vec<u8>, answer: &Answer, story: &str, workspace: &str, cast: &Cast, request: &ShortText) {
    let members: [(&[u8], &[u8]); 5] = [
        (b"{\"request_id\":\"", request.as_bytes()),
        (b"\",\"class\":\"", answer.class.as_bytes()),
        (b"\",\"story\":\"", story.as_bytes()),
        (b"\",\"workspace\":\"", workspace.as_bytes()),
        (b"\",\"slug\":\"", cast.slug.as_bytes()),
    ];
    for (lead, value) in members {
        out.extend_from_slice(lead);
        out.extend_from_slice(value);
    }
    match &answer.hop {
        Some(hop) => {
            out.extend_from_slice(b"\",\"hop\":\"");
            out.extend_from_slice(hop.as_bytes());
            out.extend_from_slice(b"\"}\n");
        }
        None => out.extend_from_slice(b"\",\"hop\":null}\n"),
    }
}
