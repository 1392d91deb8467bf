//! Kafka or ClickHouse as a child of the test: killed, frozen and started again on the same data and port.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::{binary, signal};

/// How long an engine may take to start.
const START: Duration = Duration::from_secs(60);

/// One engine.
pub struct Engine {
    name: &'static str,
    folder: PathBuf,
    environment: Vec<(&'static str, String)>,
    starts: u32,
    child: Option<Child>,
}

impl Engine {
    /// `name` is `kafka` or `clickhouse`; `folder` is the instance of `scripts/engines` that it is.
    pub fn new(name: &'static str, folder: &Path, environment: Vec<(&'static str, String)>) -> Self {
        Self { name, folder: folder.to_owned(), environment, starts: 0, child: None }
    }

    /// Starts it; it is not ready yet.
    pub fn start(&mut self) {
        self.starts += 1;
        let log = File::create(self.log()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/engines");
        let child = mortal(&script)
            .args(["run", self.name])
            .env("ENGINES_DIR", &self.folder)
            .env("GATETRAIL_BIN", binary())
            .env_remove("GATETRAIL_KAFKA_BROKERS")
            .env_remove("GATETRAIL_CLICKHOUSE_URL")
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            // ClickHouse lives as long as this pipe is open.
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}-{}.log", self.name, self.starts))
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Where it listens; empty before its first start has got that far.
    pub fn address(&self) -> String {
        let file = self.folder.join("run").join(format!("{}.address", self.name));
        std::fs::read_to_string(file).unwrap_or_default().trim().to_owned()
    }

    /// Whether it serves.
    pub fn is_ready(&self) -> bool {
        let address = self.address();
        match self.name {
            // The port opens before the broker has joined its own cluster.
            "kafka" => self.log_text().contains("Kafka Server started") && TcpStream::connect(address).is_ok(),
            _ => !address.is_empty() && ureq::get(format!("{address}/ping")).call().is_ok(),
        }
    }

    pub fn wait_until_ready(&mut self) {
        let start = Instant::now();
        while !self.is_ready() {
            assert!(
                self.ended().is_none() && start.elapsed() < START,
                "{} does not start: {}",
                self.name,
                self.log_text()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().unwrap())
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGSTOP: it holds its connections and does nothing.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        if let Some(child) = &self.child {
            signal(child.id(), name);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// A command whose process dies with this test, however the test ends.
pub fn mortal(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}
