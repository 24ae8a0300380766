//! A Redis server that speaks TLS only to who trusts its own authority.

use std::path::Path;
use std::process::Command;

use crate::install::Unavailable;
use crate::port::free_port;
use crate::redis_server::RedisServer;
use crate::scratch::Scratch;
use crate::shared::blocking;

/// Makes an authority, and a certificate for 127.0.0.1 that it has signed, in the current directory.
const CERTIFICATES: &str = include_str!("redis_tls.sh");

/// A private server with a port for TLS besides the plain one that the harness uses.
#[derive(Debug)]
pub struct RedisTls {
    server: RedisServer,
    port: u16,
    directory: Scratch,
}

impl RedisTls {
    /// Makes the certificates and starts the server.
    pub async fn private() -> RedisTls {
        blocking(start).await
    }

    /// The URL for clients, with TLS.
    #[must_use]
    pub fn url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.port)
    }

    /// The certificate of the authority, as PEM.
    #[must_use]
    pub fn root(&self) -> Vec<u8> {
        self.file("root.pem")
    }

    /// A client's certificate and key, as PEM.
    #[must_use]
    pub fn client(&self) -> (Vec<u8>, Vec<u8>) {
        (self.file("client.pem"), self.file("client.key"))
    }

    /// The server, as the harness sees it.
    #[must_use]
    pub fn server(&self) -> &RedisServer {
        &self.server
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.directory.path().join(name)).expect("it was made at the start")
    }
}

fn start() -> Result<RedisTls, Unavailable> {
    let directory = Scratch::new("tls");
    certify(directory.path())?;
    let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
    let port = free_port();
    let arguments = [
        ["--tls-port", &port.to_string()],
        ["--tls-cert-file", &path("server.pem")],
        ["--tls-key-file", &path("server.key")],
        ["--tls-ca-cert-file", &path("root.pem")],
    ];
    Ok(RedisTls {
        server: RedisServer::start_with(arguments.concat().into_iter().map(str::to_owned).collect())?,
        port,
        directory,
    })
}

fn certify(directory: &Path) -> Result<(), Unavailable> {
    let output =
        Command::new("sh").args(["-c", CERTIFICATES]).current_dir(directory).output().expect("`sh` runs");
    if output.status.success() {
        return Ok(());
    }
    Err(Unavailable(format!(
        "openssl made no certificates (apt-get install openssl): {}",
        String::from_utf8_lossy(&output.stderr)
    )))
}
