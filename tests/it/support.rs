//! A stage: a database, topics and a group of one test, and the processes that play on it.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use serde_json::Value;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it looks.
const GLANCE: Duration = Duration::from_millis(50);

static STAGES: AtomicU32 = AtomicU32::new(0);

/// The stage of one test; its database is dropped at the end.
pub struct Stage {
    pub name: String,
    pub brokers: String,
    pub clickhouse: String,
    folder: tempfile::TempDir,
}

/// Names and values, in the order they are sent.
type Headers<'r> = Vec<(&'r str, &'r str)>;
/// Key, value (`None` deletes) and headers of a record.
pub type NewRecord<'r> = (&'r str, Option<&'r [u8]>, Option<Headers<'r>>);

/// A running `gatetrail`; it is killed when the test ends.
pub struct Running {
    child: Child,
    pub log: PathBuf,
}

fn engine(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run these tests with `make test`, which starts the engines"))
}

/// The binary under test: `CHAOS_BIN` (`make chaos` plays with a release build), else the one built with the tests.
pub fn binary() -> PathBuf {
    std::env::var_os("CHAOS_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_gatetrail")), PathBuf::from)
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Stage {
    /// Creates the tables and the topics by the command a user would type.
    pub fn new(test: &str) -> Self {
        let stage = Self::bare(test);
        let output = stage.run(&["migrate", "--topics", "--partitions", "2"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        stage
    }

    /// A stage without tables and topics.
    pub fn bare(test: &str) -> Self {
        Self::on(test, engine("GATETRAIL_KAFKA_BROKERS"), engine("GATETRAIL_CLICKHOUSE_URL"))
    }

    /// A stage without tables and topics on engines of the test's own.
    pub fn on(test: &str, brokers: String, clickhouse: String) -> Self {
        let number = STAGES.fetch_add(1, Ordering::Relaxed);
        let name = format!("it_{test}_{}_{number}", std::process::id());
        Self { name, brokers, clickhouse, folder: tempfile::tempdir().unwrap() }
    }

    /// A file of this test.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn topic(&self) -> String {
        format!("{}.events", self.name)
    }

    pub fn registry_topic(&self) -> String {
        format!("{}.registry", self.name)
    }

    /// The binary with this stage's settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .env("GATETRAIL_KAFKA_BROKERS", &self.brokers)
            .env("GATETRAIL_CLICKHOUSE_URL", &self.clickhouse)
            .env("GATETRAIL_CLICKHOUSE_DATABASE", &self.name)
            .env("GATETRAIL_KAFKA_TOPIC", self.topic())
            .env("GATETRAIL_KAFKA_REGISTRY_TOPIC", self.registry_topic())
            .env("GATETRAIL_KAFKA_GROUP", &self.name)
            .env("GATETRAIL_SCRUB_KEY", "integration tests")
            .env("GATETRAIL_INGEST_FLUSH_MS", "200")
            .env("GATETRAIL_ADMIN_LISTEN", format!("127.0.0.1:{}", free_port()))
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts a role that runs until it is told to stop; `extra` are more settings.
    pub fn start(&self, arguments: &[&str], extra: &[(&str, &str)]) -> Running {
        let log = self.folder.path().join(format!("{}-{}.log", arguments[0], STAGES.fetch_add(1, Ordering::Relaxed)));
        let file = File::create(&log).unwrap();
        let mut command = self.command(arguments);
        let child = command.envs(extra.iter().copied()).stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        Running { child, log }
    }

    /// Starts `serve` and waits until it is ready; returns it with its base URL.
    pub fn serve(&self) -> (Running, String) {
        let address = format!("127.0.0.1:{}", free_port());
        let running = self.start(&["serve"], &[("GATETRAIL_SERVE_LISTEN", &address)]);
        let base = format!("http://{address}");
        wait_until("serve is ready", || ureq::get(format!("{base}/readyz")).call().is_ok(), || running.log_text());
        (running, base)
    }

    /// Produces records (key, value) in order and waits for the broker.
    pub fn produce(&self, records: &[(&str, &[u8])]) {
        let records: Vec<NewRecord<'_>> = records.iter().map(|(key, value)| (*key, Some(*value), None)).collect();
        self.produce_with_headers(&self.topic(), &records);
    }

    pub fn produce_with_headers(&self, topic: &str, records: &[NewRecord<'_>]) {
        let producer: ThreadedProducer<_> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("message.max.bytes", "67108864")
            .set("enable.idempotence", "true")
            .create()
            .unwrap();
        for (key, value, headers) in records {
            let mut record = BaseRecord::<str, [u8]>::to(topic).key(key);
            if let Some(value) = value {
                record = record.payload(value);
            }
            if let Some(headers) = headers {
                let all = headers
                    .iter()
                    .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }));
                record = record.headers(all);
            }
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.brokers).create().unwrap()
    }

    /// Deletes a topic and waits until its name is free.
    pub fn delete_topic(&self, name: &str) {
        let admin = self.admin();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let deleted = runtime.block_on(admin.delete_topics(&[name], &AdminOptions::new())).unwrap();
        assert!(deleted[0].is_ok(), "{deleted:?}");
        let partitions = || {
            let known = admin.inner().fetch_metadata(None, PATIENCE).unwrap();
            known.topics().iter().filter(|topic| topic.name() == name).count()
        };
        wait_until("the topic is gone", || partitions() == 0, || name.to_owned());
    }

    /// Creates a topic with settings of its own.
    pub fn create_topic(&self, name: &str, settings: &[(&str, &str)]) {
        let admin = self.admin();
        let topic = settings
            .iter()
            .fold(NewTopic::new(name, 1, TopicReplication::Fixed(1)), |topic, (key, value)| topic.set(key, value));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let created = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
        assert!(created[0].is_ok(), "{created:?}");
    }

    /// What ClickHouse answers, as JSON lines; `{db}` is this stage's database.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        self.ask(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same, where ClickHouse may be away for a moment.
    pub fn query_patiently(&self, sql: &str) -> Vec<Value> {
        let mut answer = self.ask(sql);
        let start = Instant::now();
        while answer.is_err() && start.elapsed() < PATIENCE {
            std::thread::sleep(GLANCE);
            answer = self.ask(sql);
        }
        answer.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn ask(&self, sql: &str) -> Result<Vec<Value>, ureq::Error> {
        let sql = format!("{} FORMAT JSONEachRow", sql.replace("{db}", &self.name));
        let address =
            format!("{}/?output_format_json_quote_64bit_integers=0", self.clickhouse.trim_end_matches('/'));
        let text = ureq::post(address).send(&sql)?.body_mut().read_to_string()?;
        Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// A statement without an answer; `{db}` is this stage's database.
    pub fn execute(&self, sql: &str) {
        let sql = sql.replace("{db}", &self.name);
        let answer = ureq::post(self.clickhouse.trim_end_matches('/')).send(&sql);
        answer.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// One number.
    pub fn count(&self, sql: &str) -> u64 {
        self.query(&format!("SELECT toUInt64(({sql})) AS n"))[0]["n"].as_u64().unwrap()
    }

    /// Waits until `events` and `dead_letters` have this many rows.
    pub fn wait_for_rows(&self, events: u64, dead_letters: u64, running: &Running) {
        let rows =
            || (self.count("SELECT count() FROM {db}.events"), self.count("SELECT count() FROM {db}.dead_letters"));
        wait_until(
            "the rows are stored",
            || rows() == (events, dead_letters),
            || format!("{:?} of {:?}\n{}", rows(), (events, dead_letters), running.log_text()),
        );
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let address = self.clickhouse.trim_end_matches('/');
        drop(ureq::post(address).send(&format!("DROP DATABASE IF EXISTS {}", self.name)));
    }
}

impl Running {
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether the group has given it partitions.
    pub fn has_partitions(&self) -> bool {
        let log = self.log_text();
        let mut assignments = log.lines().filter_map(|line| line.split_once("partitions assigned"));
        assignments.any(|(_, partitions)| partitions.contains(|letter: char| letter.is_ascii_digit()))
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it has ended by itself.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let log = self.log.clone();
        let shown = || std::fs::read_to_string(&log).unwrap_or_default();
        wait_until("the process has ended", || self.ended().is_some(), shown);
        self.child.wait().unwrap()
    }

    /// Whether it stands still after SIGSTOP (proc(5): state T).
    pub fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T'))
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Asks it to stop and waits: its exit code.
    pub fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Asks it to stop and fails with its log when it does not end well.
    pub fn stop_well(self) {
        let log = self.log.clone();
        let code = self.stop();
        assert_eq!(code, 0, "{}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// Kills it without a chance to do anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), process.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Looks again and again until `done`, and fails with what `shown` says when it takes too long.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool, shown: impl Fn() -> String) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} until {what}: {}", shown());
        std::thread::sleep(GLANCE);
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// A GET: status and JSON body.
pub fn get(url: &str) -> (u16, Value) {
    let (status, body) = get_as(url, "application/json");
    (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

/// A GET for this content type: status and body.
pub fn get_as(url: &str, accept: &str) -> (u16, String) {
    let mut answer = agent().get(url).header("accept", accept).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

/// A POST: status and JSON body.
pub fn post(url: &str, content_type: &str, body: &[u8]) -> (u16, Value) {
    let mut answer = agent().post(url).header("content-type", content_type).send(body).unwrap();
    let body = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&body).unwrap_or(Value::String(body)))
}

/// A valid event of this id, `seconds` ago, with these members of `data` over the usual ones.
pub fn event(id: &str, type_name: &str, seconds: i64, data: &Value) -> Value {
    let time = now_minus(seconds);
    let mut event = serde_json::json!({
        "specversion": "1.0", "id": id, "source": "//gateway/test", "type": type_name, "time": time,
        "data": {"hop": "downstream", "outcome": "success", "workspace": "acme", "slug": "wiki"}
    });
    for (key, value) in data.as_object().unwrap() {
        event["data"][key] = value.clone();
    }
    event
}

/// RFC 3339 time this many seconds ago.
pub fn now_minus(seconds: i64) -> String {
    let now = gatetrail::telemetry::clock::Clock.now() - chrono::Duration::seconds(seconds);
    now.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}
