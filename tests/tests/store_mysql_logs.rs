//! What the logs show of a request on MariaDB, the driver's own log of statements included: no key, no tenant, no
//! response, in plain or in hexadecimal.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use idempotency::{BoxError, Idempotency};
use interlock_tests::MariaDbServer;
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}

#[tokio::test]
async fn show_nothing_of_key_tenant_or_response() {
    let database = MariaDbServer::shared().await.database("logs").await;
    let pool = database.mysql_pool().await;
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let once = Idempotency::mysql(pool.clone());
    once.migrate().await.unwrap();
    for process in [&once, &once, &Idempotency::mysql(pool)] {
        let request =
            process.request("charge", "SecretKey").unwrap().tenant("SecretTenant").fingerprint(&"SecretBody");
        let done = request.transaction(async |_| Ok::<_, BoxError>("SecretResponse".to_owned()));
        done.await.unwrap().into_inner();
    }
    let request = once.request("pay", "SecretKey").unwrap().tenant("SecretTenant");
    let paid = request.lease(std::time::Duration::from_secs(9));
    paid.run(async |_| Ok::<_, BoxError>("SecretResponse".to_owned())).await.unwrap().into_inner();

    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("SAVEPOINT idempotency_work") && log.contains("idempotent request"),
        "the logs are on:\n{log}"
    );
    for secret in ["SecretKey", "SecretTenant", "SecretBody", "SecretResponse"] {
        let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        assert!(!log.contains(secret), "{secret} in\n{log}");
        assert!(!log.to_lowercase().contains(&hex), "{secret} in hexadecimal in\n{log}");
    }
}
