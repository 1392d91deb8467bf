//! What can keep the embedded ClickHouse server from starting, each with a stable code and a sentence that says what
//! to do. It does not decide exit codes; the caller does.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the embedded server could not start, or ended before standard input did.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The library file does not exist.
    #[error("no ClickHouse library at {}; `scripts/engines fetch` brings it", .0.display())]
    LibraryMissing(PathBuf),
    /// The library file exists, and the system's loader refused it (wrong platform, cut short, no permission).
    #[error("cannot load the ClickHouse library {}", .path.display())]
    LibraryUnusable {
        /// The library that was to be loaded.
        path: PathBuf,
        /// What the loader said.
        source: libloading::Error,
    },
    /// The library has no function of this name: it is another library, or another version.
    #[error("the library {} has no function {symbol}; is it libchdb?", .path.display())]
    SymbolMissing {
        /// The library that was loaded.
        path: PathBuf,
        /// The function that is not in it.
        symbol: &'static str,
        /// What the loader said.
        source: libloading::Error,
    },
    /// The configuration file does not exist.
    #[error("no ClickHouse configuration file at {}", .0.display())]
    ConfigurationMissing(PathBuf),
    /// The data directory can't be created.
    #[error("cannot create the data directory {}", .path.display())]
    DataDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server holds the lock of the data directory.
    #[error("another ClickHouse server uses the data directory {}; stop it or choose another", .0.display())]
    LockHeld(PathBuf),
    /// A port can't be listened on.
    #[error("cannot listen on 127.0.0.1:{port} ({interface} interface)")]
    PortTaken {
        /// The port.
        port: u16,
        /// `HTTP` or `native`.
        interface: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A path has a NUL byte in it, which no C string can carry.
    #[error("the path {0:?} contains a NUL byte")]
    NulInPath(PathBuf),
    /// The server itself reported an error.
    #[error("the ClickHouse server ended with an error: {0}")]
    Server(String),
    /// The server ended before standard input did; the library has printed the reason.
    #[error("the ClickHouse server did not start or ended early; its own message stands above")]
    EndedEarly,
}

impl EngineError {
    /// The stable code of this error, for logs and scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::LibraryMissing(_) => "engine_library_missing",
            Self::LibraryUnusable { .. } => "engine_library_unusable",
            Self::SymbolMissing { .. } => "engine_symbol_missing",
            Self::ConfigurationMissing(_) => "engine_configuration_missing",
            Self::DataDirectory { .. } => "engine_data_directory",
            Self::LockHeld(_) => "engine_lock_held",
            Self::PortTaken { .. } => "engine_port_taken",
            Self::NulInPath(_) => "engine_nul_in_path",
            Self::Server(_) => "engine_server",
            Self::EndedEarly => "engine_ended_early",
        }
    }
}
