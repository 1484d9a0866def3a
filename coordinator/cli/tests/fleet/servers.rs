//! The servers that the fleets of this test run on.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use gitfleet_testkit::postgres::{Fsync, Postgres};
use gitfleet_testkit::rabbitmq::{Options as RabbitMqOptions, RabbitMq};
use gitfleet_testkit::redis::{Options as RedisOptions, Redis};
use tokio::runtime::Runtime;

pub(crate) struct Servers {
    pub(crate) postgres: Postgres,
    pub(crate) rabbitmq: RabbitMq,
    pub(crate) redis: Redis,
}

impl Servers {
    fn start(fsync: Fsync) -> Self {
        std::thread::scope(|scope| {
            let rabbitmq = scope.spawn(|| RabbitMq::start(&RabbitMqOptions::default()));
            let redis = Redis::start(&RedisOptions::default());
            let postgres = Postgres::start(fsync);
            Self { postgres, rabbitmq: rabbitmq.join().unwrap(), redis }
        })
    }

    /// Returns those that nobody disturbs. Never those named in the environment: somebody may need them.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Servers> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(Fsync::Off))
    }

    /// Returns those that may be broken, to one case at a time, whole again.
    pub(crate) fn victims() -> MutexGuard<'static, Self> {
        static VICTIMS: OnceLock<Mutex<Servers>> = OnceLock::new();
        // A case that failed has left them as they are; what is broken is seen to by the next one.
        // Killed, a PostgreSQL that does not sync forgets the last of what it has said is committed.
        let servers = VICTIMS.get_or_init(|| Mutex::new(Self::start(Fsync::On)));
        servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where proxies and connections of the tests live.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    })
}
