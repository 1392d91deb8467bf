//! Runs a whole ClickHouse server inside this process, from the shared library `libchdb`.
//!
//! The library is published for querying in-process; this file uses it for one thing only: the server that is in
//! it. [`serve_until_stdin_ends`] passes a command line to the library's C function `chdb_query_cmdline`, whose
//! statements open the HTTP and the native listener on loopback and then read standard input to its end. So the
//! server lives exactly as long as whoever holds the other end of standard input, and can't outlive it by accident.
//!
//! It must be called in a process of its own: the library starts threads, installs signal handlers and keeps global
//! state that can't be undone. It is never unloaded. This file does not choose ports, fetch the library or wait for
//! readiness; `scripts/engines` does.
//!
//! This is one of the four files that may hold `unsafe`: loading a library and calling C can't be expressed without.
#![expect(unsafe_code, reason = "loads a C library and calls four of its functions")]

mod error;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fs::{File, TryLockError};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libloading::Library;

pub use error::EngineError;

/// Opens both listeners, then waits for the end of standard input. The one line that the last statement yields says
/// that all of them ran: when the server fails to start, the library prints why and returns an empty result.
const SERVE_STATEMENTS: &str = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; \
     SELECT count() FROM file('/dev/stdin', 'LineAsString', 'line String') FORMAT TSV";

/// The file in the data directory that a ClickHouse server keeps locked (`flock`) while it runs.
const LOCK_FILE: &str = "status";

/// `void *chdb_query_cmdline(int argc, char **argv)`: runs the statements of the command line, returns a result.
type QueryCommandLine = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
/// `const char *chdb_result_error(void *result)`: NULL, or the text of what went wrong; owned by the result.
type ResultError = unsafe extern "C" fn(*mut c_void) -> *const c_char;
/// `size_t chdb_result_length(void *result)`: how many bytes the statements yielded.
type ResultLength = unsafe extern "C" fn(*mut c_void) -> usize;
/// `void chdb_destroy_query_result(void *result)`: frees a result.
type DestroyResult = unsafe extern "C" fn(*mut c_void);

/// How to run the embedded server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOptions {
    /// The shared library, usually `libchdb.so`.
    pub library: PathBuf,
    /// Directory of the data; created when absent, locked by the server while it runs.
    pub data_directory: PathBuf,
    /// Loopback port of the HTTP interface.
    pub http_port: u16,
    /// Loopback port of the native interface.
    pub tcp_port: u16,
    /// A ClickHouse configuration file (users, profiles, quotas), when the defaults don't do.
    pub config_file: Option<PathBuf>,
}

/// Runs the server and returns when standard input has ended. Call it once, in a process of its own.
///
/// # Errors
/// [`EngineError`] when a file is missing or unusable, a port or the data directory is taken, or the server reports
/// an error.
pub fn serve_until_stdin_ends(options: &ServerOptions) -> Result<(), EngineError> {
    if !options.library.is_file() {
        return Err(EngineError::LibraryMissing(options.library.clone()));
    }
    if let Some(config_file) = options.config_file.as_ref().filter(|path| !path.is_file()) {
        return Err(EngineError::ConfigurationMissing(config_file.clone()));
    }
    std::fs::create_dir_all(&options.data_directory)
        .map_err(|source| EngineError::DataDirectory { path: options.data_directory.clone(), source })?;
    // The library only logs a port that is taken and goes on without that listener, so it is looked at before.
    require_free_port(options.http_port, "HTTP")?;
    require_free_port(options.tcp_port, "native")?;
    require_unlocked(&options.data_directory)?;

    let arguments = command_line(options)?;
    let functions = ServerFunctions::load(&options.library)?;
    functions.run(arguments)
}

/// Fails when nobody could listen on the port; the listener made to find out is closed again at once.
fn require_free_port(port: u16, interface: &'static str) -> Result<(), EngineError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).map_err(|source| EngineError::PortTaken {
        port,
        interface,
        source,
    })
}

/// Fails when another server has locked the data directory; a lock that was taken to find out is released at once.
fn require_unlocked(data_directory: &Path) -> Result<(), EngineError> {
    // A file that is absent or can't be opened holds no lock; the server itself says what else is wrong with it.
    let Ok(lock_file) = File::open(data_directory.join(LOCK_FILE)) else {
        return Ok(());
    };
    match lock_file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(EngineError::LockHeld(data_directory.to_owned())),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// The command line for the library, program name first. Loopback only: the default user has no password.
fn command_line(options: &ServerOptions) -> Result<Vec<CString>, EngineError> {
    let mut arguments = vec![
        c"clickhouse".to_owned(),
        c"--path".to_owned(),
        path_argument(&options.data_directory)?,
        c"--listen_host".to_owned(),
        c"127.0.0.1".to_owned(),
        c"--http_port".to_owned(),
        number_argument(options.http_port),
        c"--tcp_port".to_owned(),
        number_argument(options.tcp_port),
    ];
    if let Some(config_file) = &options.config_file {
        arguments.push(c"--config-file".to_owned());
        arguments.push(path_argument(config_file)?);
    }
    arguments.push(c"-q".to_owned());
    arguments.push(text_argument(SERVE_STATEMENTS));
    Ok(arguments)
}

fn path_argument(path: &Path) -> Result<CString, EngineError> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| EngineError::NulInPath(path.to_owned()))
}

fn number_argument(number: u16) -> CString {
    text_argument(&number.to_string())
}

/// For texts of ours only, which hold no NUL byte; one that did would be cut there, as C would read it anyway.
fn text_argument(text: &str) -> CString {
    let until_nul = text.split('\0').next().unwrap_or_default();
    CString::new(until_nul).unwrap_or_default()
}

/// The four functions of the library that are used here.
struct ServerFunctions {
    query_command_line: QueryCommandLine,
    result_error: ResultError,
    result_length: ResultLength,
    destroy_result: DestroyResult,
}

impl ServerFunctions {
    fn load(path: &Path) -> Result<Self, EngineError> {
        // SAFETY: loading runs the initialisers of the library. The path is given by whoever starts this process for
        // this purpose alone, and nothing else runs in the process yet that they could disturb.
        let library = unsafe { Library::new(path) }
            .map_err(|source| EngineError::LibraryUnusable { path: path.to_owned(), source })?;
        // Never unloaded: its threads outlive the call, so its code has to stay mapped until the process ends.
        let library: &'static Library = Box::leak(Box::new(library));
        let missing = |symbol| move |source| EngineError::SymbolMissing { path: path.to_owned(), symbol, source };
        // SAFETY: the four types repeat the declarations in the library's header `chdb.h`, and the library stays
        // loaded for as long as the process lives, so the pointers stay valid.
        unsafe {
            Ok(Self {
                query_command_line: *library
                    .get::<QueryCommandLine>(c"chdb_query_cmdline")
                    .map_err(missing("chdb_query_cmdline"))?,
                result_error: *library
                    .get::<ResultError>(c"chdb_result_error")
                    .map_err(missing("chdb_result_error"))?,
                result_length: *library
                    .get::<ResultLength>(c"chdb_result_length")
                    .map_err(missing("chdb_result_length"))?,
                destroy_result: *library
                    .get::<DestroyResult>(c"chdb_destroy_query_result")
                    .map_err(missing("chdb_destroy_query_result"))?,
            })
        }
    }

    /// Runs the command line to its end.
    fn run(&self, arguments: Vec<CString>) -> Result<(), EngineError> {
        // `chdb_query_cmdline` takes `char **`, so it may write to the arguments: each is handed over as a buffer
        // that this call owns, and the list ends with NULL as `argv` of `main` does (C11 §5.1.2.2.1).
        let mut buffers: Vec<Vec<u8>> = arguments.into_iter().map(CString::into_bytes_with_nul).collect();
        let mut pointers: Vec<*mut c_char> =
            buffers.iter_mut().map(|buffer| buffer.as_mut_ptr().cast::<c_char>()).collect();
        let count = c_int::try_from(pointers.len()).unwrap_or(c_int::MAX);
        pointers.push(std::ptr::null_mut());

        // SAFETY: `pointers` holds `count` pointers to NUL-terminated buffers and a closing NULL; both outlive the
        // call.
        let result = unsafe { (self.query_command_line)(count, pointers.as_mut_ptr()) };
        if result.is_null() {
            return Err(EngineError::EndedEarly);
        }
        // SAFETY: `result` is not NULL and is valid until it is destroyed, which happens once, after its last use.
        // The error text is NULL or NUL-terminated, belongs to the result, and is copied before.
        let (error_text, length) = unsafe {
            let error = (self.result_error)(result);
            let error_text = (!error.is_null()).then(|| CStr::from_ptr(error).to_string_lossy().into_owned());
            let length = (self.result_length)(result);
            (self.destroy_result)(result);
            (error_text, length)
        };
        match error_text {
            Some(text) => Err(EngineError::Server(first_sentence(&text).to_owned())),
            None if length == 0 => Err(EngineError::EndedEarly),
            None => Ok(()),
        }
    }
}

/// The server's message without the stack trace that it appends.
fn first_sentence(text: &str) -> &str {
    text.split(", Stack trace").next().unwrap_or(text).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(directory: &Path) -> ServerOptions {
        ServerOptions {
            library: directory.join("libchdb.so"),
            data_directory: directory.join("data"),
            http_port: 1,
            tcp_port: 2,
            config_file: None,
        }
    }

    #[test]
    fn the_command_line_names_every_option_and_ends_with_the_statements() {
        let with_config = ServerOptions { config_file: Some(PathBuf::from("/c.xml")), ..options(Path::new("/d")) };
        let arguments: Vec<String> =
            command_line(&with_config).unwrap().into_iter().map(|argument| argument.into_string().unwrap()).collect();
        let expected = [
            "clickhouse",
            "--path",
            "/d/data",
            "--listen_host",
            "127.0.0.1",
            "--http_port",
            "1",
            "--tcp_port",
            "2",
            "--config-file",
            "/c.xml",
            "-q",
            SERVE_STATEMENTS,
        ];
        assert_eq!(arguments, expected);
    }

    #[test]
    fn a_path_with_a_nul_byte_is_refused() {
        let error = path_argument(Path::new("a\0b")).unwrap_err();
        assert_eq!(error.code(), "engine_nul_in_path");
    }

    #[test]
    fn a_server_message_loses_its_stack_trace() {
        let cases = [
            ("Code: 1000, Syntax error, Stack trace (when copying): 0. ?", "Code: 1000, Syntax error"),
            ("Code: 76. Cannot lock", "Code: 76. Cannot lock"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(first_sentence(text), expected);
        }
    }

    #[test]
    fn what_is_missing_or_taken_is_named_before_anything_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(directory.path());
        assert_eq!(serve_until_stdin_ends(&options).unwrap_err().code(), "engine_library_missing");

        std::fs::write(&options.library, "not a library").unwrap();
        options.config_file = Some(directory.path().join("absent.xml"));
        assert_eq!(serve_until_stdin_ends(&options).unwrap_err().code(), "engine_configuration_missing");

        options.config_file = None;
        let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let [http_port, tcp_port] = listeners.each_ref().map(|listener| listener.local_addr().unwrap().port());
        (options.http_port, options.tcp_port) = (http_port, tcp_port);
        assert_eq!(serve_until_stdin_ends(&options).unwrap_err().code(), "engine_port_taken");

        drop(listeners);
        let lock_file = File::create(options.data_directory.join(LOCK_FILE)).unwrap();
        lock_file.try_lock().unwrap();
        assert_eq!(serve_until_stdin_ends(&options).unwrap_err().code(), "engine_lock_held");

        lock_file.unlock().unwrap();
        assert_eq!(serve_until_stdin_ends(&options).unwrap_err().code(), "engine_library_unusable");
    }
}
