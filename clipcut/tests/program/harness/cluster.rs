//! A cluster: databases of its own, and the roles that share them, each a process.

use std::{path::Path, process::Command};

use mongodb::bson::{Binary, Document, doc, spec::BinarySubtype};
use testbed::{Mongodb, Postgres, Redis};

use super::{Finished, Http, Program, clipcut, finish};

/// The databases of one cluster.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    postgres: String,
    mongodb: String,
    redis: String,
}

/// A role's process, with a client of its address.
pub(crate) struct Role {
    pub(crate) program: Program,
    pub(crate) http: Http,
    pub(crate) url: String,
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

    /// Starts `role` on a free port.
    pub(crate) fn start(&self, home: &Path, role: &str, settings: &[(&str, &str)]) -> Role {
        let mut command = clipcut(home);
        command.arg(role).env("CLIPCUT_LISTEN", "127.0.0.1:0").envs(self.settings());
        Role::start(command.envs(settings.iter().copied()))
    }

    /// Opens the cluster's store.
    pub(crate) async fn store(&self) -> store::Store {
        let (postgres, mongodb, redis) = (self.postgres.clone(), self.mongodb.clone(), self.redis.clone());
        store::Store::cluster(&store::Cluster { postgres, mongodb, redis }).await.unwrap()
    }

    /// Flips a bit of the blob stored under `key`.
    pub(crate) async fn damage(&self, key: &str) {
        let client = mongodb::Client::with_uri_str(&self.mongodb).await.unwrap();
        let media =
            |kind: &str| client.default_database().unwrap().collection::<Document>(&format!("media.{kind}"));
        let file = media("files").find_one(doc! { "filename": key }).await.unwrap().unwrap();
        let place = doc! { "files_id": &file["_id"], "n": 0 };
        let chunk = media("chunks").find_one(place.clone()).await.unwrap().unwrap();
        let mut bytes = chunk.get_binary_generic("data").unwrap().clone();
        bytes[1000] ^= 1;
        let data = Binary { subtype: BinarySubtype::Generic, bytes };
        media("chunks").update_one(place, doc! { "$set": { "data": data } }).await.unwrap();
    }

    /// Runs a query, with psql.
    pub(crate) fn ask(&self, statement: &str) -> String {
        let asked = finish(Command::new("psql").args(["-qXAtc", statement, &self.postgres]));
        assert_eq!(asked.code, Some(0), "{statement}: {asked:?}");
        asked.stdout.trim().to_owned()
    }
}

impl Role {
    /// Starts `command` and reads its address from the log.
    pub(crate) fn start(command: &mut Command) -> Self {
        let program = Program::start(command);
        let line = program.wait_for_log(" http://127.0.0.1:");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { program, http: Http::new(&url), url }
    }
}
