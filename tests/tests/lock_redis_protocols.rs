//! The Redis backend keeps the contract of every backend, whichever way it reaches the server.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::sync::Arc;

use interlock_tests::{RedisServer, RedisTls, Scratch, unique_name};
use lock_core::{ConnectError, LockBackend, LockManager, RedisBackend, RedisConfig};
use tokio::sync::OnceCell;

async fn connect(config: RedisConfig) -> Arc<dyn LockBackend> {
    let prefix = format!("{}:", unique_name("lock"));
    Arc::new(RedisBackend::connect(config, &prefix).await.expect("Redis answers"))
}

mod resp3 {
    use super::*;

    async fn backend() -> Arc<dyn LockBackend> {
        let url = format!("{}/?protocol=resp3", RedisServer::shared().await.url());
        connect(url.into()).await
    }

    lock_core::conformance_suite!(backend);
}

mod unix_socket {
    use super::*;

    static SERVER: OnceCell<(RedisServer, Scratch)> = OnceCell::const_new();

    async fn backend() -> Arc<dyn LockBackend> {
        let (_, directory) = SERVER
            .get_or_init(|| async {
                let directory = Scratch::new("socket");
                let path = directory.path().join("redis.sock");
                let server = RedisServer::private_with(&["--unixsocket", &path.to_string_lossy()]).await;
                (server, directory)
            })
            .await;
        connect(format!("unix://{}", directory.path().join("redis.sock").display()).into()).await
    }

    lock_core::conformance_suite!(backend);
}

mod tls {
    use super::*;

    static SERVER: OnceCell<RedisTls> = OnceCell::const_new();

    async fn server() -> &'static RedisTls {
        SERVER.get_or_init(RedisTls::private).await
    }

    fn config(server: &RedisTls) -> RedisConfig {
        let (certificate, key) = server.client();
        RedisConfig::standalone(server.url())
            .root_certificates(server.root())
            .client_certificate(certificate, key)
    }

    async fn backend() -> Arc<dyn LockBackend> {
        connect(config(server().await)).await
    }

    lock_core::conformance_suite!(backend);

    #[tokio::test]
    async fn a_server_that_an_unknown_authority_vouches_for_is_refused() {
        let server = server().await;
        let (certificate, key) = server.client();
        let config = RedisConfig::standalone(server.url()).client_certificate(certificate, key);
        let refused = LockManager::redis(config).await;
        assert!(matches!(refused, Err(ConnectError::Unreachable { .. })), "{refused:?}");
    }

    #[tokio::test]
    async fn a_client_without_a_certificate_is_refused_by_a_server_that_asks_for_one() {
        let server = server().await;
        let config = RedisConfig::standalone(server.url()).root_certificates(server.root());
        let refused = LockManager::redis(config).await;
        assert!(matches!(refused, Err(ConnectError::Unreachable { .. })), "{refused:?}");
    }
}

mod acl {
    use super::*;

    static SERVER: OnceCell<RedisServer> = OnceCell::const_new();

    /// As in the documentation of `RedisBackend`.
    const RIGHTS: &str = "on >secret resetkeys ~app:* ~{app:* resetchannels &app:lock:node:* -@all \
        +evalsha +eval +script|load +time +get +mget +set +del +exists +pttl +pexpire +zadd +zpopmin +zrem +zrevrange \
        +publish +subscribe +ping +scan +type +zcard";

    async fn server() -> &'static RedisServer {
        SERVER
            .get_or_init(|| async {
                let server = RedisServer::private().await;
                let mut set = redis::cmd("ACL");
                set.arg("SETUSER").arg("locks").arg(RIGHTS.split_whitespace().collect::<Vec<_>>());
                let _: () = set.query_async(&mut server.connection().await).await.unwrap();
                server
            })
            .await
    }

    async fn url() -> String {
        server().await.url().replace("redis://", "redis://locks:secret@")
    }

    async fn backend() -> Arc<dyn LockBackend> {
        Arc::new(RedisBackend::connect(url().await, "app:").await.expect("Redis answers"))
    }

    lock_core::conformance_suite!(backend);

    #[tokio::test]
    async fn a_missing_permission_is_heard_of_when_connecting_and_holds_no_secret() {
        // The channels of another prefix are not allowed.
        let refused = LockManager::builder().prefix("other:").redis(url().await).await;
        let Err(error @ ConnectError::Unreachable { .. }) = refused else { panic!("{refused:?}") };
        assert!(!format!("{error:?} {error}").contains("secret"), "{error:?}");
    }

    #[tokio::test]
    async fn a_wrong_password_is_refused_and_not_repeated() {
        let config = RedisConfig::standalone(url().await).login("locks", "hunter2");
        let refused = LockManager::builder().prefix("app:").redis(config).await;
        let Err(error @ ConnectError::Unreachable { .. }) = refused else { panic!("{refused:?}") };
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
    }

    #[tokio::test]
    async fn the_documentation_names_these_permissions() {
        let documented = include_str!("../../lock-core/src/redis/mod.rs").replace("///", " ");
        for right in RIGHTS.split_whitespace().filter(|right| !right.starts_with('>')) {
            assert!(documented.contains(&format!(" {right}")), "{right} is not documented");
        }
    }
}

mod pool {
    use super::*;

    static POOL: OnceCell<deadpool_redis::Pool> = OnceCell::const_new();

    async fn config() -> RedisConfig {
        let url = RedisServer::shared().await.url();
        let pool = POOL
            .get_or_init(|| async {
                let config = deadpool_redis::Config::from_url(url);
                config.create_pool(Some(deadpool_redis::Runtime::Tokio1)).unwrap()
            })
            .await;
        RedisConfig::pool(pool.clone(), url)
    }

    async fn backend() -> Arc<dyn LockBackend> {
        connect(config().await).await
    }

    lock_core::conformance_suite!(backend);

    #[tokio::test]
    async fn the_pool_does_not_run_dry() {
        let url = RedisServer::shared().await.url();
        let pool = deadpool_redis::Config::from_url(url).builder().unwrap().max_size(1).build().unwrap();
        let one = LockManager::redis(RedisConfig::pool(pool.clone(), url)).await.unwrap();
        let two = LockManager::redis(RedisConfig::pool(pool.clone(), url)).await.unwrap();
        let key = unique_name("pool");
        one.lock(&key).acquire().await.unwrap().release().await.unwrap();
        two.lock(&key).acquire().await.unwrap().release().await.unwrap();
        pool.get().await.unwrap();
    }
}
