//! A broker with one listener for each way that companies have it, started once for all tests.

use std::path::Path;
use std::process::Command;

use super::certificates::{Authority, Identity};
use super::process::{Kept, fetched};
use crate::support::free_port;

/// The password of the user `audit` in every mechanism, and of `guest`, who may do nothing, in PLAIN.
pub const PASSWORD: &str = "s3cret by far";

/// Where the broker listens.
pub struct Listeners {
    /// `SASL_SSL` with PLAIN, SCRAM and OAUTHBEARER.
    pub sasl_ssl: String,
    /// `SASL_PLAINTEXT` with PLAIN alone.
    pub sasl_plaintext: String,
    /// `SSL` that wants a certificate of the client.
    pub mutual: String,
    /// `SSL` with a certificate that has expired.
    pub expired: String,
    /// `SSL` with a certificate for another host.
    pub other_name: String,
    /// `PLAINTEXT`.
    pub plaintext: String,
}

/// Certificates of the listeners.
pub struct Certificates {
    pub good: Identity,
    pub expired: Identity,
    pub other_name: Identity,
}

pub struct Broker {
    pub listeners: Listeners,
    _server: Kept,
}

impl Broker {
    /// Starts it in a folder that goes away with it, and waits until it answers.
    pub fn start(folder: &Path, authority: &Authority, certificates: &Certificates) -> Self {
        let home = fetched("kafka").expect("these tests start a broker of their own: run `scripts/engines fetch`");
        let address = || format!("127.0.0.1:{}", free_port());
        let listeners = Listeners {
            sasl_ssl: address(),
            sasl_plaintext: address(),
            mutual: address(),
            expired: address(),
            other_name: address(),
            plaintext: address(),
        };
        let properties = folder.join("server.properties");
        std::fs::write(&properties, settings(folder, &listeners, &address(), authority, certificates)).unwrap();
        let (properties, classes) = (properties.to_str().unwrap(), format!("{}/lib/*", home.display()));
        let scram = |mechanism: &str| format!("{mechanism}=[name=audit,password={PASSWORD}]");
        let formatted = Command::new("java")
            .args(["-XX:TieredStopAtLevel=1", "-cp", &classes, "kafka.tools.StorageTool", "format"])
            .args(["--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA", "--config", properties])
            .args(["--add-scram", &scram("SCRAM-SHA-256"), "--add-scram", &scram("SCRAM-SHA-512")])
            .output()
            .unwrap();
        assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
        let logs = format!("-Dlog4j2.configurationFile={}/scripts/kafka/log4j2.properties", env!("CARGO_MANIFEST_DIR"));
        let command =
            ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", &logs, "-cp", &classes, "kafka.Kafka", properties];
        let mut server = Kept::start(folder, &command);
        server.wait_until(|log| log.contains("Kafka Server started"));
        Self { listeners, _server: server }
    }
}

fn settings(
    folder: &Path,
    listeners: &Listeners,
    controller: &str,
    authority: &Authority,
    certificates: &Certificates,
) -> String {
    let named = [
        ("CLIENT", "SASL_SSL", &listeners.sasl_ssl),
        ("OPEN", "SASL_PLAINTEXT", &listeners.sasl_plaintext),
        ("MUTUAL", "SSL", &listeners.mutual),
        ("EXPIRED", "SSL", &listeners.expired),
        ("OTHER", "SSL", &listeners.other_name),
        ("PLAIN", "PLAINTEXT", &listeners.plaintext),
    ];
    let each = |form: &dyn Fn(&(&str, &str, &String)) -> String| named.iter().map(form).collect::<Vec<_>>().join(",");
    let addresses = each(&|(name, _, address)| format!("{name}://{address}"));
    let protocols = each(&|(name, protocol, _)| format!("{name}:{protocol}"));
    let store = |name: &str, identity: &Identity| {
        let store = identity.store.display();
        format!(
            "listener.name.{name}.ssl.keystore.type=PEM\nlistener.name.{name}.ssl.keystore.location={store}\n\
             listener.name.{name}.ssl.truststore.type=PEM\nlistener.name.{name}.ssl.truststore.location={}\n",
            authority.file.display()
        )
    };
    let stores = [
        store("client", &certificates.good),
        store("mutual", &certificates.good),
        store("expired", &certificates.expired),
        store("other", &certificates.other_name),
    ]
    .concat();
    let security = "org.apache.kafka.common.security";
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners={addresses},CONTROLLER://{controller}
advertised.listeners={addresses}
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:audit;User:CN=client
{stores}listener.name.mutual.ssl.client.auth=required
listener.name.client.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.client.plain.sasl.jaas.config={security}.plain.PlainLoginModule required user_audit=\"{PASSWORD}\" user_guest=\"{PASSWORD}\";
listener.name.client.scram-sha-256.sasl.jaas.config={security}.scram.ScramLoginModule required;
listener.name.client.scram-sha-512.sasl.jaas.config={security}.scram.ScramLoginModule required;
listener.name.client.oauthbearer.sasl.jaas.config={security}.oauthbearer.OAuthBearerLoginModule required;
listener.name.open.sasl.enabled.mechanisms=PLAIN
listener.name.open.plain.sasl.jaas.config={security}.plain.PlainLoginModule required user_audit=\"{PASSWORD}\";
",
        data = folder.join("data").display()
    )
}
