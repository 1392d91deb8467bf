//! Engines as companies run them: Kafka with TLS and SASL, ClickHouse with users behind TLS.
//!
//! Broker, server, token endpoint and TLS are this test's own and are started once for all of it; what a wrong setting is
//! answered with is looked at through the binary.

mod certificates;
mod clickhouse;
mod kafka;
mod process;
mod stage;
mod tls;

use std::process::Stdio;

use serde_json::Value;

use crate::support::{free_port, wait_until};
use stage::{ENGINES, Killed, Setting, Use, text};

/// Topics and tables are made, registry and events produced, consumed and stored, all over the secured connections.
fn goes_end_to_end(kafka: Vec<Setting>) {
    let engines = &*ENGINES;
    let of = Use::of([kafka, engines.clickhouse()].concat());
    let created = of.must_run(&["migrate", "--topics", "--partitions", "1"]);
    assert_eq!(created.matches("created  topic").count(), 3, "both event topics and the registry: {created}");
    let said = of.must_run(&["check", "connections"]);
    assert!(!said.contains("FAULT"), "{said}");
    of.must_run(&["simulate", "--events", "3"]);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("consume.log");
    let output = std::fs::File::create(&log).unwrap();
    // With the rights that README names, and no more.
    let with_user = |user: &str| of.clone().with("CLICKHOUSE_USER", user);
    let mut consume = with_user("writer").command(&["consume"]);
    let consume = consume.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
    let _consume = Killed(consume);
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let stored = || engines.ask(&format!("SELECT count() FROM {}.events", of.name));
    wait_until("the events are stored", || stored() == "3", || format!("{}\n{}", stored(), said()));
    assert!(said().contains("registry read"), "the registry came by the same way: {}", said());
    with_user("reader").must_run(&["refreshes"]);
    with_user("reader").must_run(&["check", "dead-letters"]);
}

#[test]
fn by_scram_over_tls_into_clickhouse_by_https() {
    goes_end_to_end(ENGINES.password("SCRAM-SHA-512"));
}

#[test]
fn by_token_over_tls_into_clickhouse_by_https() {
    goes_end_to_end(ENGINES.token());
}

#[test]
fn by_client_certificate_into_clickhouse_by_https() {
    goes_end_to_end(ENGINES.certificate(&ENGINES.client));
}

#[test]
fn a_user_without_rights_is_told_which() {
    let of = Use::of([ENGINES.password("PLAIN"), ENGINES.clickhouse()].concat());
    of.must_run(&["migrate", "--topics", "--partitions", "1"]);
    let output = of.with("KAFKA_SASL_USERNAME", "guest").run(&["check", "connections"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("does not allow this user to read the topic").count(), 3, "{said}");
}

#[test]
fn serve_produces_with_a_token() {
    let of = Use::of([ENGINES.token(), ENGINES.clickhouse()].concat());
    of.must_run(&["migrate", "--topics", "--partitions", "1"]);
    let address = format!("127.0.0.1:{}", free_port());
    let serve = of.command(&["serve", "--serve-listen", &address]).stderr(Stdio::null()).spawn().unwrap();
    let _serve = Killed(serve);
    let ready = || ureq::get(format!("http://{address}/readyz?verbose")).call();
    wait_until("serve is ready", || ready().is_ok(), || format!("{:?}", ready().err()));
    let event = crate::support::event("one", "mcp.request.rejected", 1, &serde_json::json!({ "request_id": "r" }));
    let (status, answer) =
        crate::support::post(&format!("http://{address}/v1/events"), "application/json", event.to_string().as_bytes());
    assert_eq!((status, &answer["accepted"]), (202, &Value::from(1)), "{answer}");
}

#[test]
fn consume_waits_and_says_what_for() {
    let of = Use::of([ENGINES.password("SCRAM-SHA-256"), ENGINES.clickhouse()].concat());
    of.must_run(&["migrate"]);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("consume.log");
    let address = format!("127.0.0.1:{}", free_port());
    let wrong = of.with("KAFKA_SASL_PASSWORD", "wr0ng").with("ADMIN_LISTEN", &*address);
    let output = std::fs::File::create(&log).unwrap();
    let mut consume = Killed(wrong.command(&["consume"]).stdout(Stdio::null()).stderr(output).spawn().unwrap());
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let expected = "refuses the user or the password by SCRAM-SHA-256";
    wait_until("it says what it waits for", || said().contains(expected), said);
    let (status, parts) = crate::support::get(&format!("http://{address}/readyz?verbose"));
    assert_eq!(status, 503, "{parts}");
    assert!(parts.to_string().contains(expected), "{parts}");
    assert!(consume.0.try_wait().unwrap().is_none(), "it has ended: {}", said());
}

/// What `check connections` says of the first part that is at fault; it must end with 4 within a few seconds.
fn fault_of(of: &Use) -> (String, String) {
    let output = of.run(&["check", "connections", "--json"]);
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}{complaint}"));
    let part = answer["parts"].as_array().unwrap().iter().find(|part| part["ok"] == false);
    let part = part.unwrap_or_else(|| panic!("nothing is wrong: {answer}"));
    assert_eq!(output.status.code(), Some(4), "{answer}");
    for secret in [kafka::PASSWORD, clickhouse::PASSWORD, tls::CLIENT.1, "wr0ng"] {
        assert!(!format!("{said}{complaint}").contains(secret), "{said}{complaint}");
    }
    (part["part"].as_str().unwrap().to_owned(), part["detail"].as_str().unwrap().to_owned())
}

/// Looks at the cases a few at a time, since each mostly waits.
fn expect_faults(part: &str, cases: Vec<(Use, &str)>) {
    let failed: Vec<String> = std::thread::scope(|scope| {
        let mut failed = Vec::new();
        for some in cases.chunks(4) {
            let asked: Vec<_> = some.iter().map(|(of, _)| scope.spawn(move || fault_of(of))).collect();
            for ((_, expected), asked) in some.iter().zip(asked) {
                let (at_fault, said) = asked.join().unwrap();
                if at_fault != part || !said.contains(expected) {
                    failed.push(format!("{expected:?} was expected of {part}, {at_fault} said {said:?}"));
                }
            }
        }
        failed
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn what_is_wrong_with_kafka_is_said() {
    let engines = &*ENGINES;
    let listeners = &engines.broker.listeners;
    let by = |settings: Vec<Setting>| Use::of([settings, engines.clickhouse()].concat());
    let scram = || by(engines.password("SCRAM-SHA-512"));
    let tls = |address: &str| by(engines.certificate(&engines.client)).with("KAFKA_BROKERS", address);
    let stranger = || text(&engines.stranger.file);
    expect_faults(
        "kafka",
        vec![
            (scram().with("KAFKA_SASL_PASSWORD", "wr0ng"), "refuses the user or the password by SCRAM-SHA-512"),
            (scram().with("KAFKA_SASL_USERNAME", "nobody"), "refuses the user or the password"),
            (by(engines.password("PLAIN")).with("KAFKA_SASL_PASSWORD", "wr0ng"), "by PLAIN (kafka.sasl_username"),
            (scram().with("KAFKA_TLS_CA_FILE", stranger()), "kafka.tls_ca_file must hold that authority's"),
            (scram().with("KAFKA_TLS_CA_FILE", "/absent.pem"), "/absent.pem cannot be read: No such file"),
            (scram().with("KAFKA_BROKERS", &listeners.plaintext), "does not speak TLS"),
            (
                scram()
                    .with("KAFKA_BROKERS", &listeners.sasl_plaintext)
                    .with("KAFKA_SECURITY_PROTOCOL", "sasl_plaintext")
                    .with("KAFKA_TLS_CA_FILE", ""),
                "does not offer kafka.sasl_mechanism = SCRAM-SHA-512, but PLAIN",
            ),
            (
                by(engines.password("PLAIN"))
                    .with("KAFKA_BROKERS", &listeners.plaintext)
                    .with("KAFKA_SECURITY_PROTOCOL", "sasl_plaintext")
                    .with("KAFKA_TLS_CA_FILE", ""),
                "its listener has no sign-in",
            ),
            (tls(&listeners.expired), "its certificate has expired"),
            (tls(&listeners.other_name), "for other host names than the one in kafka.brokers"),
            (by(engines.certificate(&engines.unknown_client)), "refuses the client's certificate"),
            (
                tls(&listeners.mutual).with("KAFKA_TLS_CERTIFICATE_FILE", "").with("KAFKA_TLS_KEY_FILE", ""),
                "refuses the client's certificate, or misses one",
            ),
            (by(engines.plaintext()).with("KAFKA_BROKERS", &listeners.mutual), "kafka.security_protocol must be ssl"),
            (by(engines.plaintext()).with("KAFKA_BROKERS", &listeners.sasl_plaintext), "must be sasl_plaintext"),
            (
                by(engines.token()).with("KAFKA_SASL_OAUTH_CLIENT_SECRET", "wr0ng"),
                "refuses the client with 401 invalid_client",
            ),
            (by(engines.token()).with("KAFKA_SASL_OAUTH_CA_FILE", stranger()), "kafka.sasl_oauth_ca_file"),
            (by(engines.plaintext()).with("KAFKA_BROKERS", format!("127.0.0.1:{}", free_port())), "does not answer"),
        ],
    );
}

#[test]
fn what_is_wrong_with_clickhouse_is_said() {
    let engines = &*ENGINES;
    let good = Use::of([engines.plaintext(), engines.clickhouse()].concat());
    // Topics and tables are not what is asked about, and would be missed as well.
    good.must_run(&["migrate", "--topics", "--partitions", "1"]);
    let by = || good.clone();
    let at = |address: &str| by().with("CLICKHOUSE_URL", format!("https://{address}"));
    expect_faults(
        "clickhouse",
        vec![
            (by().with("CLICKHOUSE_PASSWORD", "wr0ng"), "refuses the user or the password (clickhouse.user"),
            (by().with("CLICKHOUSE_USER", "nobody"), "refuses the user or the password"),
            (by().with("CLICKHOUSE_TLS_CA_FILE", text(&engines.stranger.file)), "clickhouse.tls_ca_file must hold"),
            (by().with("CLICKHOUSE_TLS_CA_FILE", ""), "clickhouse.tls_ca_file must hold"),
            (at(&engines.https_expired), "its certificate has expired"),
            (at(&engines.https_other_name), "for other host names than the one in clickhouse.url"),
            (at(&engines.https_mutual), "refuses the client's certificate, or misses one (clickhouse.tls_cert"),
            (at(&engines.clickhouse.address), "does not speak TLS"),
            (
                by().with("CLICKHOUSE_URL", format!("http://{}", engines.https)).with("CLICKHOUSE_TLS_CA_FILE", ""),
                "must begin with https://",
            ),
        ],
    );
    let with_certificate = at(&engines.https_mutual)
        .with("CLICKHOUSE_TLS_CERTIFICATE_FILE", text(&engines.client.certificate))
        .with("CLICKHOUSE_TLS_KEY_FILE", text(&engines.client.key));
    with_certificate.must_run(&["check", "connections"]);
}

#[test]
fn the_one_shot_commands_say_it_and_end_with_4() {
    let engines = &*ENGINES;
    let good = || Use::of([engines.password("SCRAM-SHA-256"), engines.clickhouse()].concat());
    let stranger = text(&engines.stranger.file);
    let cases: [(&[&str], Use, &str); 5] = [
        (&["lookup", "some-request"], good().with("CLICKHOUSE_PASSWORD", "wr0ng"), "refuses the user or the password"),
        (&["refreshes"], good().with("CLICKHOUSE_TLS_CA_FILE", &*stranger), "clickhouse.tls_ca_file"),
        (&["migrate"], good().with("CLICKHOUSE_USER", "nobody"), "refuses the user or the password"),
        (&["migrate", "--topics"], good().with("KAFKA_SASL_PASSWORD", "wr0ng"), "kafka.sasl_password"),
        (&["simulate", "--events", "1"], good().with("KAFKA_TLS_CA_FILE", &*stranger), "kafka.tls_ca_file"),
    ];
    for (arguments, of, expected) in cases {
        let output = of.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.contains(expected) && !said.contains("wr0ng"), "{arguments:?}: {said}");
    }
    let unusable = good().with("CLICKHOUSE_TLS_CA_FILE", "/absent.pem").run(&["lookup", "some-request"]);
    assert_eq!(unusable.status.code(), Some(2), "{}", String::from_utf8_lossy(&unusable.stderr));
}
