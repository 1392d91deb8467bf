//! `[kafka]`: brokers, topics, group. How it is signed in to stands in [`super::kafka_security`].
//!
//! Names are held to Kafka's own rules here, so that a typing error is a fault of the configuration and not a topic that
//! never comes.

use super::{KafkaOptions, KafkaSecurity, Parser};

/// The longest name that Kafka gives a topic (`org.apache.kafka.common.internals.Topic.MAX_NAME_LENGTH`).
const LONGEST_TOPIC: usize = 249;

/// `[kafka]`
#[derive(Debug, Clone)]
pub struct Kafka {
    /// Bootstrap servers, comma-separated.
    pub brokers: String,
    /// Topics of gateway events, at least one and each once; all are read, the first one is produced to.
    pub topics: Vec<String>,
    /// Compacted topic of registry facts.
    pub registry_topic: String,
    /// Consumer group.
    pub group: String,
    /// Name of this member, when membership is static (KIP-345).
    pub group_instance_id: Option<String>,
    /// TLS and SASL.
    pub security: KafkaSecurity,
    /// Properties of librdkafka by name.
    pub options: KafkaOptions,
}

impl Kafka {
    /// The topic that events are produced to.
    #[must_use]
    pub fn first_topic(&self) -> &str {
        self.topics.first().map_or("", String::as_str)
    }
}

impl Parser<'_> {
    pub(super) fn kafka(&mut self) -> Option<Kafka> {
        let (brokers, group) = (self.text("kafka.brokers"), self.text("kafka.group"));
        let registry_topic = self.registry_topic();
        let topics = self.topics(registry_topic.as_deref());
        let (security, options) = (self.kafka_security(), self.kafka_options());
        Some(Kafka {
            brokers: brokers?,
            topics: topics?,
            registry_topic: registry_topic?,
            group: group?,
            group_instance_id: self.optional("kafka.group_instance_id"),
            security: security?,
            options: options?,
        })
    }

    fn registry_topic(&mut self) -> Option<String> {
        let name = self.text("kafka.registry_topic")?;
        if is_topic_name(&name) {
            return Some(name);
        }
        self.fault("kafka.registry_topic", "a name of at most 249 letters, digits, `.`, `_` and `-`");
        None
    }

    fn topics(&mut self, registry_topic: Option<&str>) -> Option<Vec<String>> {
        let text = self.text("kafka.topic")?;
        match topic_list(&text, registry_topic) {
            Ok(topics) => Some(topics),
            Err(expected) => {
                self.fault("kafka.topic", expected);
                None
            }
        }
    }
}

/// The names of a comma list, or what is expected instead.
fn topic_list(text: &str, registry_topic: Option<&str>) -> Result<Vec<String>, &'static str> {
    let mut topics: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim) {
        if !is_topic_name(name) {
            return Err("a comma list of topics, each a name of at most 249 letters, digits, `.`, `_` and `-`,");
        }
        if topics.iter().any(|earlier| earlier == name) {
            return Err("each topic once");
        }
        if registry_topic == Some(name) {
            return Err("a topic other than kafka.registry_topic");
        }
        topics.push(name.to_owned());
    }
    Ok(topics)
}

/// Whether Kafka takes this as the name of a topic (`org.apache.kafka.common.internals.Topic.validate`).
fn is_topic_name(name: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !matches!(name, "" | "." | "..") && name.len() <= LONGEST_TOPIC && name.bytes().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_TOPIC, is_topic_name, topic_list};

    #[test]
    fn a_topic_is_named_as_kafka_allows() {
        for name in ["a", "mcp.gateway.events", "A_b-9", "..."] {
            assert!(is_topic_name(name), "{name}");
        }
        for name in ["", ".", "..", "a b", "a/b", "^a.*", "ä", &"a".repeat(LONGEST_TOPIC + 1)] {
            assert!(!is_topic_name(name), "{name}");
        }
    }

    #[test]
    fn a_list_of_topics_names_each_once_and_not_the_registrys() {
        assert_eq!(topic_list("a", None).unwrap(), ["a"]);
        assert_eq!(topic_list("b, a ,c", Some("d")).unwrap(), ["b", "a", "c"]);
        for (list, expected) in
            [("a,", "comma list"), (",", "comma list"), ("a,b,a", "each topic once"), ("a,d", "kafka.registry_topic")]
        {
            assert!(topic_list(list, Some("d")).unwrap_err().contains(expected), "{list}");
        }
    }
}
