//! The files of `migrations/`, which the program carries with it. They are listed here because
//! `sqlx::migrate!` has every driver compiled a second time, for the compiler's own use. Indexes of words and triggers are
//! each database's own, so those files are twins of one number in `migrations/sqlite` and `migrations/postgres`.

use std::sync::LazyLock;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

// A released file never changes: sqlx compares its checksum with the database's and refuses to start on a difference.
const FILES: [(i64, &str, &str); 30] = [
    (1, "library", include_str!("../../migrations/0001_library.sql")),
    (2, "captions", include_str!("../../migrations/0002_captions.sql")),
    (3, "many processes", include_str!("../../migrations/0003_many_processes.sql")),
    (4, "models", include_str!("../../migrations/0004_models.sql")),
    (5, "caption styles", include_str!("../../migrations/0005_caption_styles.sql")),
    (6, "notes", include_str!("../../migrations/0006_notes.sql")),
    (7, "accounts", include_str!("../../migrations/0007_accounts.sql")),
    (8, "runs", include_str!("../../migrations/0008_runs.sql")),
    (10, "claims", include_str!("../../migrations/0010_claims.sql")),
    (11, "lists", include_str!("../../migrations/0011_lists.sql")),
    (12, "grants", include_str!("../../migrations/0012_grants.sql")),
    (13, "tags and views", include_str!("../../migrations/0013_tags_and_views.sql")),
    (14, "quotas", include_str!("../../migrations/0014_quotas.sql")),
    (15, "idempotency", include_str!("../../migrations/0015_idempotency.sql")),
    (16, "revisions", include_str!("../../migrations/0016_revisions.sql")),
    (17, "pages", include_str!("../../migrations/0017_pages.sql")),
    (20, "webhooks", include_str!("../../migrations/0020_webhooks.sql")),
    (21, "second factors", include_str!("../../migrations/0021_second_factors.sql")),
    (22, "mail", include_str!("../../migrations/0022_mail.sql")),
    (23, "identities", include_str!("../../migrations/0023_identities.sql")),
    (24, "posters", include_str!("../../migrations/0024_posters.sql")),
    (26, "revocations", include_str!("../../migrations/0026_revocations.sql")),
    (28, "machines", include_str!("../../migrations/0028_machines.sql")),
    (29, "progress", include_str!("../../migrations/0029_progress.sql")),
    (30, "revisions of people", include_str!("../../migrations/0030_revisions_of_people.sql")),
    (32, "ended sessions", include_str!("../../migrations/0032_ended_sessions.sql")),
    (33, "revisions of posters", include_str!("../../migrations/0033_revisions_of_posters.sql")),
    (34, "plan versions", include_str!("../../migrations/0034_plan_versions.sql")),
    (35, "confirmed addresses", include_str!("../../migrations/0035_confirmed_addresses.sql")),
    (40, "traces", include_str!("../../migrations/0040_traces.sql")),
];

const SQLITE_FILES: [(i64, &str, &str); 4] = [
    (9, "search", include_str!("../../migrations/sqlite/0009_search.sql")),
    (25, "sorted lists", include_str!("../../migrations/sqlite/0025_sorted_lists.sql")),
    (27, "service", include_str!("../../migrations/sqlite/0027_service.sql")),
    (31, "sorted tags", include_str!("../../migrations/sqlite/0031_sorted_tags.sql")),
];
const POSTGRES_FILES: [(i64, &str, &str); 4] = [
    (9, "search", include_str!("../../migrations/postgres/0009_search.sql")),
    (25, "sorted lists", include_str!("../../migrations/postgres/0025_sorted_lists.sql")),
    (27, "service", include_str!("../../migrations/postgres/0027_service.sql")),
    (31, "sorted tags", include_str!("../../migrations/postgres/0031_sorted_tags.sql")),
];

pub(super) static SQLITE: LazyLock<Migrator> = LazyLock::new(|| migrator(&SQLITE_FILES));
pub(super) static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| migrator(&POSTGRES_FILES));

fn migrator(own: &[(i64, &'static str, &'static str)]) -> Migrator {
    let files = FILES.iter().chain(own);
    let mut migrations: Vec<_> = files
        .map(|&(version, description, sql)| {
            Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect();
    migrations.sort_by_key(|migration| migration.version);
    let mut migrator = Migrator::with_migrations(migrations);
    // Tables of a newer program: while a cluster is upgraded, and after a step back. Its migrations have only added to
    // what this one knows.
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    // Migrations from before processes of two versions worked on the same tables.
    const ANY_CHANGE: usize = 6;

    /// Returns whether a statement leaves all that programs of the version before read and write.
    fn is_additive(statement: &str) -> bool {
        let words: Vec<&str> = statement.split_whitespace().collect();
        match words[..] {
            // Rows of the version before come without the column.
            ["alter", "table", _, "add", "column", ..] => {
                !statement.contains("not null") || statement.contains("default")
            }
            // An index is speed alone.
            ["drop", "index", ..] => true,
            ["alter" | "drop" | "delete" | "truncate", ..] => false,
            _ => true,
        }
    }

    #[test]
    fn migrations_only_add_so_that_the_version_before_works_on() {
        let own = SQLITE_FILES.iter().chain(&POSTGRES_FILES);
        for (version, name, text) in FILES.iter().skip(ANY_CHANGE).chain(own) {
            let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
            let statements = lines.collect::<Vec<_>>().join(" ");
            for statement in statements.split(';').map(str::trim).filter(|one| !one.is_empty()) {
                assert!(is_additive(statement), "migration {version}, {name}: {statement}");
            }
        }
        for (statement, expected) in [
            ("alter table videos add column owner text", true),
            ("alter table videos add column notes text not null default ''", true),
            ("alter table videos add column owner text not null", false),
            ("alter table heard rename to recognized", false),
            ("drop table jobs", false),
            ("create index jobs_by_age on jobs (queued_at)", true),
        ] {
            assert_eq!(is_additive(statement), expected, "{statement}");
        }
    }

    #[tokio::test]
    async fn every_file_of_the_folders_is_carried_as_it_is() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let listed = |of: &Migrator| -> Vec<_> {
            of.iter()
                .map(|one| (one.version, one.description.clone(), one.checksum.clone(), one.no_tx))
                .collect()
        };
        for (own, carried) in [("sqlite", &*SQLITE), ("postgres", &*POSTGRES)] {
            let mut there = Vec::new();
            for folder in [folder.clone(), folder.join(own)] {
                there.extend(listed(&Migrator::new(folder).await.expect("a folder of migrations")));
            }
            there.sort();
            assert_eq!(listed(carried), there, "{own}");
        }
    }
}
