//! Runs the binary itself: commands that end, and `serve` until it is dropped.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::store::Store;

/// How long a role may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// A port that nobody listens on now.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn command(store: &Store, database: &str, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatetrail"));
    command
        .args(arguments)
        .env("GATETRAIL_CLICKHOUSE_DATABASE", database)
        .env("GATETRAIL_KAFKA_TOPIC", format!("{}.events", store.database))
        .env("GATETRAIL_KAFKA_REGISTRY_TOPIC", format!("{}.registry", store.database))
        .env("GATETRAIL_KAFKA_GROUP", &store.database)
        .env("GATETRAIL_SCRUB_KEY", "benchmark")
        .env("GATETRAIL_ADMIN_LISTEN", format!("127.0.0.1:{}", free_port()?))
        .stdin(Stdio::null());
    Ok(command)
}

/// Runs a command of the binary to its end.
pub fn run(store: &Store, database: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = command(store, database, arguments)?.output()?;
    if !output.status.success() {
        bail!("gatetrail {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// A running role, with its log in a file; killed when dropped.
pub struct Role {
    child: Child,
    log: PathBuf,
}

impl Role {
    /// Starts a role.
    pub fn start(store: &Store, database: &str, role: &str, more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let log = std::env::temp_dir().join(format!("{}-{role}.log", store.database));
        let file = File::create(&log)?;
        let mut command = command(store, database, &[role])?;
        command.envs(more.iter().copied()).stdout(file.try_clone()?).stderr(file);
        Ok(Self { child: command.spawn()?, log })
    }

    /// Looks again and again until `done`.
    pub fn wait_until(&mut self, what: &str, mut done: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let start = Instant::now();
        while !done()? {
            let has_ended = self.child.try_wait()?.is_some();
            if has_ended || start.elapsed() > PATIENCE {
                bail!("waited {:?} until {what}: see {}", start.elapsed(), self.log.display());
            }
            std::thread::sleep(GLANCE);
        }
        Ok(())
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `gatetrail serve`, ready.
pub struct Serve {
    /// Where its API is.
    pub url: String,
    _role: Role,
}

impl Serve {
    /// Starts it on a free port and waits until it answers.
    pub fn start(store: &Store) -> anyhow::Result<Self> {
        let listen = format!("127.0.0.1:{}", free_port()?);
        let url = format!("http://{listen}");
        let mut role = Role::start(store, &store.database, "serve", &[("GATETRAIL_SERVE_LISTEN", &listen)])?;
        role.wait_until("serve answers", || Ok(ureq::get(format!("{url}/livez")).call().is_ok()))
            .context("gatetrail serve does not start")?;
        Ok(Self { url, _role: role })
    }
}
