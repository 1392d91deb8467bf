//! Spans arrive at a real listener on the loopback, with the caller's trace; without an endpoint nothing starts.

use std::io::{Read, Write};
use std::net::TcpListener;

use tracing_subscriber::layer::SubscriberExt;

use super::{OtelError, Traces, continue_trace, endpoint, traceparent};

type Environment = [(&'static str, &'static str)];

#[test]
fn the_endpoint_follows_the_specification() {
    let cases: &[(&Environment, Option<&str>)] = &[
        (&[], None),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], None),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")], Some("http://c:4318/v1/traces")),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/")], Some("http://c:4318/v1/traces")),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t/x")],
            Some("http://t/x"),
        ),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"), ("OTEL_SDK_DISABLED", "true")], None),
    ];
    for (environment, expected) in cases {
        let read = |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(endpoint(read).unwrap().as_deref(), *expected, "{environment:?}");
    }
    let tls = endpoint(|name| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "https://c:4318".to_owned()));
    assert!(matches!(tls, Err(OtelError::NotPlainHttp)), "{tls:?}");
}

/// Takes one HTTP request and answers 200; returns head and body.
fn take_one_request(listener: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut taken = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).unwrap();
        taken.extend_from_slice(&piece[..read]);
        let Some(end) = taken.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(taken[..end].to_vec()).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if taken.len() - end - 4 >= length.parse::<usize>().unwrap() {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            return (head, taken[end + 4..].to_vec());
        }
    }
}

/// One worker thread: the sending must not need the thread that waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_span_arrives_with_the_callers_trace() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = std::thread::spawn(move || take_one_request(&listener));

    let read = |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| format!("http://{address}"));
    let traces = Traces::start(read).unwrap().unwrap();
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("look_up_probe");
        continue_trace(&span, "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01");
        let handed_on = traceparent(&span).unwrap();
        assert!(handed_on.starts_with("00-0123456789abcdef0123456789abcdef-"), "{handed_on}");
        assert!(!handed_on.contains("-0123456789abcdef-"), "the span's own id: {handed_on}");
    });
    traces.shutdown().await.unwrap();

    let (head, body) = receiver.join().unwrap();
    assert!(head.starts_with("post /v1/traces"), "{head}");
    let holds = |text: &str| body.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("look_up_probe") && holds("gatetrail"), "span and service name");
}

#[tokio::test]
async fn nothing_starts_without_an_endpoint() {
    assert!(Traces::start(|_| None).unwrap().is_none());
    assert_eq!(traceparent(&tracing::info_span!("not_exported")), None);
}
