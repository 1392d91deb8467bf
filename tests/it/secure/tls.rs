//! TLS in front of a server that has none, and a token endpoint.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use super::certificates::{Authority, Identity};

/// The OAuth client that the token endpoint knows.
pub const CLIENT: (&str, &str) = ("audit", "cl1ent secret");

/// Listens with this certificate, takes TLS off and passes on to `target`; returns its own `host:port`. With an authority,
/// clients must show a certificate of it.
pub fn in_front_of(runtime: &Runtime, target: &str, identity: &Identity, clients: Option<&Authority>) -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Some(authority) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(&authority.file).unwrap()).unwrap();
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        None => builder.with_no_client_auth(),
    };
    let chain = vec![CertificateDer::from_pem_file(&identity.certificate).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()));
    let (listener, address) = listen(runtime);
    let target = target.to_owned();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, target) = (acceptor.clone(), target.clone());
            tokio::spawn(async move {
                // Who fails the handshake is told so by an alert; nothing else is to be done.
                let (Ok(mut near), Ok(mut far)) = (acceptor.accept(stream).await, TcpStream::connect(target).await)
                else {
                    return;
                };
                drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
            });
        }
    });
    address
}

/// A token endpoint over plain HTTP that gives [`CLIENT`] tokens which an unsecured validator takes.
pub fn token_endpoint(runtime: &Runtime) -> String {
    let (listener, address) = listen(runtime);
    let router = axum::Router::new().route("/token", axum::routing::post(give_token));
    runtime.spawn(async move { axum::serve(listener, router).await });
    address
}

async fn give_token(headers: HeaderMap, form: String) -> (StatusCode, axum::Json<Value>) {
    let encoded = |text: &str| text.replace(' ', "+");
    let pair = format!("{}:{}", encoded(CLIENT.0), encoded(CLIENT.1));
    let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let is_known = headers.get("authorization").is_some_and(|given| given.to_str().unwrap() == expected);
    if !is_known || form != "grant_type=client_credentials&scope=kafka" {
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({ "error": "invalid_client" })));
    }
    let now = gatetrail::telemetry::clock::Clock.now().timestamp();
    let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "sub": CLIENT.0, "iat": now, "exp": now + 600, "scope": "kafka" });
    let token = format!("{}.{}.", part(json!({ "alg": "none" })), part(claims));
    (StatusCode::OK, axum::Json(json!({ "access_token": token, "token_type": "Bearer", "expires_in": 600 })))
}

fn listen(runtime: &Runtime) -> (TcpListener, String) {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}
