//! In charge of a cluster's servers: databases that nobody else uses, and the settings that name them.

use std::path::Path;

use testbed::{Mongodb, Postgres, Redis};

use super::{Finished, clipcut, finish};

/// The databases of one cluster.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    postgres: String,
    mongodb: String,
    redis: String,
}

impl Cluster {
    /// Makes databases on the servers that the tests of this binary share.
    pub(crate) fn shared() -> Self {
        Self::on(Postgres::shared(), Mongodb::shared(), Redis::shared())
    }

    /// Makes databases on these servers.
    pub(crate) fn on(postgres: &Postgres, mongodb: &Mongodb, redis: &Redis) -> Self {
        Self { postgres: postgres.database(), mongodb: mongodb.database(), redis: redis.url().to_owned() }
    }

    /// The settings of every process of the cluster.
    pub(crate) fn settings(&self) -> [(&str, &str); 3] {
        [
            ("CLIPCUT_POSTGRES", &self.postgres),
            ("CLIPCUT_MONGODB", &self.mongodb),
            ("CLIPCUT_REDIS", &self.redis),
        ]
    }

    /// Runs `clipcut migrate`.
    pub(crate) fn migrate(&self, home: &Path) -> Finished {
        finish(clipcut(home).arg("migrate").envs(self.settings()))
    }
}
