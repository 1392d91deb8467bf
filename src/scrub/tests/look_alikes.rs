//! What must pass word for word: words about secrets, masks, ids, addresses.

use super::look_alike_lines::LINES;
use super::scrubber;
use std::borrow::Cow;

const UNCHANGED: &[&str] = &[
    "",
    "the access token expired",
    "refresh_token is invalid or was revoked",
    "Bearer error=\"invalid_token\", error_description=\"The token expired\"",
    "WWW-Authenticate: Bearer realm=\"mcp\", resource_metadata=\"https://mcp.example/.well-known/oauth-protected-resource\"",
    "WWW-Authenticate: Basic realm=\"files\"",
    "Authorization: header is missing",
    "authorization: Bearer token required",
    "Authorization: Bearer <token>",
    "Authorization: Bearer ${ACCESS_TOKEN}",
    "Authorization: Bearer [redacted:bearer]",
    "Ensure the key has 'Bearer ' in front",
    "Bearer authentication is not supported",
    "Basic Authentication failed",
    "basic auth is off, variable expansion too",
    "token_endpoint: https://idp.example/oauth/token",
    "token_endpoint_auth_method=client_secret_post",
    "grant_type=refresh_token",
    "grant_type=password",
    "response_type=code",
    "token_type_hint=access_token",
    "{\"token_type\":\"Bearer\",\"expires_in\":3600}",
    "{\"error\":\"invalid_grant\",\"code\":\"ECONNREFUSED\"}",
    "{\"code\":-32001,\"message\":\"no session\"}",
    "{\"code\":\"token_expired\"}",
    "error code: 401, status code=502",
    "{\"state\":\"connected\"}",
    "connection state: half_open",
    "{\"access_token\":null,\"refresh_token\":\"\"}",
    "refresh_token: missing, access_token: expired",
    "client_secret: field required",
    "invalid_token: The access token expired",
    "password: incorrect",
    "api_key: str | None = None",
    "Missing required parameter: code_verifier",
    "params_sent: [\"client_id\",\"code\",\"code_verifier\"]",
    "['authorization', 'x-api-key', 'accept']",
    "max_tokens=4096 prompt_tokens: 512",
    "key_id=k-2026-11, public_key=none",
    "ey****bt",
    "eyJ...***...xyz",
    "Received=****",
    "api_key=sk-...wxyz",
    "token: abcd********wxyz",
    "password=xxxxxxxx",
    "[REDACTED] and <hidden>",
    "client_secret=[redacted:client_secret]&state=[redacted:state]",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
    "request_id: 0198f3c2-7a54-7cc2-98c4-dc0c0c07398f",
    "x-request-id=8c6f2d1e9a7b4c3d correlation_id: corr-42",
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "mcp-session-id: 3f2a9c1b7d5e4f60a1b2c3d4e5f60718",
    "{\"name\":\"accept\",\"value\":\"text/html\"}",
    "{\"name\":\"token_type\",\"value\":\"Bearer1234567890\"}",
    "hmac-sha256:b0344c61d8db3853",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://multitask-demo.example/mcp",
    "multitask-demo-service-eu-west-1-production.example",
    "sk-learn and task-runner-service-production",
    "risk-assessment-service-2026-production",
    "npm_config_registry npm_lifecycle_event",
    "https://mcp.example:8443/servers/9b2e7c41-5a0d-4a57-8f5e-6a4f2d1c0b3a/mcp",
    "https://mcp.example/auth/callback",
    "https://idp.example/realms/main/protocol/openid-connect/token",
    "user@mail.example wrote to ops@mail.example",
    "/usr/lib/node_modules/some-package/dist/esm/client/index.js:2035:16",
    "std::env::var is unset",
    "Environment variable 'OPENAI_API_KEY' not found for header 'x-api-key'",
    "variable \"path\" is empty",
    "-----BEGIN CERTIFICATE-----\nTUlJQ2ZGQUtF\n-----END CERTIFICATE-----",
    "expected a line -----BEGIN PRIVATE KEY----- here",
    "Cookie: missing state cookie",
    "SameSite=None; Secure",
    "2026-11-22T10:00:00.123456Z 10.0.0.1:8080 GET /mcp 401",
    "Key Hash (Token) =88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
    "a % b, 100%, \\ and & alone, &nosuch; %zz \\q",
    "naïve — “quotes” … 你好 🙂",
];

#[test]
fn look_alikes_stay_word_for_word() {
    let scrubber = scrubber();
    assert!(UNCHANGED.len() + LINES.len() >= 300);
    let changed = |text: &&&str| {
        let scrubbed = scrubber.scrub_text(text);
        scrubbed.text != **text || !matches!(scrubbed.text, Cow::Borrowed(_)) || !scrubbed.removals.is_empty()
    };
    let faults: Vec<String> = UNCHANGED
        .iter()
        .chain(LINES)
        .filter(changed)
        .map(|text| format!("{text}\n  {}", scrubber.scrub_text(text).text))
        .collect();
    assert!(faults.is_empty(), "{} changed\n{}", faults.len(), faults.join("\n"));
}
