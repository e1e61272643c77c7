//! A server that speaks TLS from the first byte, with a certificate for localhost and 127.0.0.1 that is its own root.

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{io::Write, net::TcpListener, sync::Arc};

const CERTIFICATE: &[u8] = include_bytes!("tls/localhost.pem");
const KEY: &[u8] = include_bytes!("tls/localhost.key");

/// A mail server that greets one client with "421, busy" over TLS and ends; returns its port.
pub fn greet_busy(host: &str) -> u16 {
    let config = server();
    let listener = TcpListener::bind((host, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let tls = ServerConnection::new(config).unwrap();
        // A client that does not trust us closes the connection here.
        let _ = StreamOwned::new(tls, stream).write_all(b"421 4.3.2 busy\r\n");
    });
    port
}

/// A server's side of TLS with that certificate.
pub fn server() -> Arc<ServerConfig> {
    super::install_tls();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}
