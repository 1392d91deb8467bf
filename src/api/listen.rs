//! Which addresses `serve` may listen on, and how it stops.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

/// How long calls that are being answered may take once a stop is asked for.
pub const GRACE: Duration = Duration::from_secs(10);

/// Why nothing is listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another address than loopback, without leave.
    #[error(
        "refused to listen on {address}: without tokens anybody who reaches the port could read every timeline and write events; listen on 127.0.0.1, or allow open listening where the network keeps others away"
    )]
    Open {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The system refused.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Listens on `address`: loopback, or any with `allow_open`.
///
/// # Errors
/// [`ListenError::Open`] for an address that others may reach, [`ListenError::Bind`] when the port is taken.
pub async fn bind(address: SocketAddr, allow_open: bool) -> Result<TcpListener, ListenError> {
    if !address.ip().is_loopback() && !allow_open {
        return Err(ListenError::Open { address });
    }
    TcpListener::bind(address).await.map_err(|source| ListenError::Bind { address, source })
}

/// Serves until `stop` completes, then takes no new connection and lets those being answered finish within [`GRACE`].
/// Returns whether all of them finished.
///
/// # Errors
/// When the listener itself fails.
pub async fn serve_until(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<bool> {
    let (stopping, asked_to_stop) = tokio::sync::oneshot::channel::<()>();
    let signal = async move {
        stop.await;
        drop(stopping);
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(signal);
    let out_of_time = async move {
        asked_to_stop.await.ok();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = serving => served.map(|()| true),
        () = out_of_time => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::{ListenError, bind};

    #[tokio::test]
    async fn only_loopback_without_leave() {
        assert!(bind("127.0.0.1:0".parse().unwrap(), false).await.is_ok());
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let error = bind(address.parse().unwrap(), false).await.unwrap_err();
            assert!(matches!(error, ListenError::Open { .. }), "{address}: {error}");
        }
        assert!(bind("0.0.0.0:0".parse().unwrap(), true).await.is_ok());
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address, false).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    }
}
