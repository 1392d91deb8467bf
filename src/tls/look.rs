//! A look at a port: does it speak TLS, and is its certificate one that we accept? For explaining a failure, after it.

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::fault::TlsFault;

/// What was seen.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// TLS, with a certificate that is accepted.
    Accepted,
    /// TLS, with this fault; or no TLS ([`TlsFault::NotTls`]).
    Fault(TlsFault),
    /// Nothing that a conclusion could be drawn from: nobody listens, or nobody answers in time.
    Nothing,
}

/// Connects and begins a TLS handshake; waits at most twice `timeout`. Blocks its thread.
#[must_use]
pub fn look(host: &str, port: u16, config: Arc<ClientConfig>, timeout: Duration) -> Seen {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let Ok(name) = ServerName::try_from(bare.to_owned()) else { return Seen::Nothing };
    let Ok(mut handshake) = ClientConnection::new(config, name) else { return Seen::Nothing };
    let Some(mut stream) = connect(bare, port, timeout) else { return Seen::Nothing };
    match handshake.complete_io(&mut stream) {
        Ok(_) => Seen::Accepted,
        Err(error) => match TlsFault::of(&error) {
            Some(fault) => Seen::Fault(fault),
            // What speaks another protocol takes the greeting for nonsense and hangs up.
            None if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
                Seen::Fault(TlsFault::NotTls)
            }
            None => Seen::Nothing,
        },
    }
}

fn connect(host: &str, port: u16, timeout: Duration) -> Option<TcpStream> {
    let addresses = (host, port).to_socket_addrs().ok()?;
    let stream = addresses.into_iter().find_map(|address| TcpStream::connect_timeout(&address, timeout).ok())?;
    stream.set_read_timeout(Some(timeout)).ok()?;
    stream.set_write_timeout(Some(timeout)).ok()?;
    Some(stream)
}
