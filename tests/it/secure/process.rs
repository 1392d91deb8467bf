//! Servers that live exactly as long as this test process, however it ends.
//!
//! A shell stands between: it ends the server when its standard input is closed, which the system does for us even when
//! the tests are killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ends the server and removes its folder at the end of standard input.
const KEEPER: &str = r#"folder=$1; shift
"$@" </dev/null & server=$!
cat >/dev/null
kill -KILL "$server" 2>/dev/null; wait "$server"; rm -rf "$folder""#;

/// The same for a server that ends by itself at the end of standard input.
const WAITER: &str = r#"folder=$1; shift
"$@"; rm -rf "$folder""#;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(60);

/// A server with a keeper.
pub struct Kept {
    keeper: Child,
    log: PathBuf,
}

impl Kept {
    /// Starts a command whose data lies in `folder`, and whose output goes to `folder/log`.
    pub fn start(folder: &Path, command: &[&str]) -> Self {
        Self::start_with(KEEPER, folder, command)
    }

    /// Starts a command that ends at the end of its standard input.
    pub fn start_reading(folder: &Path, command: &[&str]) -> Self {
        Self::start_with(WAITER, folder, command)
    }

    fn start_with(script: &str, folder: &Path, command: &[&str]) -> Self {
        let log = folder.join("log");
        let output = File::create(&log).unwrap();
        let keeper = Command::new("sh")
            .args(["-c", script, "keeper"])
            .arg(folder)
            .args(command)
            // A process that ClickHouse would start beside itself could not be ended.
            .env("CLICKHOUSE_WATCHDOG_ENABLE", "0")
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { keeper, log }
    }

    /// Waits until `ready` holds of the log; a server that has ended fails the test with its log.
    pub fn wait_until(&mut self, ready: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        loop {
            let said = std::fs::read_to_string(&self.log).unwrap_or_default();
            if ready(&said) {
                return;
            }
            let ended = self.keeper.try_wait().unwrap().is_some();
            assert!(!ended && begun.elapsed() < START, "a server did not start:\n{said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A fresh folder for a server, where cargo keeps what tests write.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("secure-{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A folder of `scripts/engines fetch` whose name begins so.
pub fn fetched(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cache = std::env::var("ENGINES_CACHE").unwrap_or_else(|_| ".engines/cache".to_owned());
    let found = std::fs::read_dir(root.join(cache)).ok()?.map(|entry| entry.unwrap().path());
    found
        .filter(|path| path.is_dir())
        .find(|path| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&format!("{name}-"))))
}
