//! The files of `migrations/`, which the program carries with it. They are listed here because
//! `sqlx::migrate!` has every driver compiled a second time, for the compiler's own use.

use std::sync::LazyLock;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

// A released file never changes: sqlx compares its checksum with the database's and refuses to start on a difference.
const FILES: [(i64, &str, &str); 6] = [
    (1, "library", include_str!("../../migrations/0001_library.sql")),
    (2, "captions", include_str!("../../migrations/0002_captions.sql")),
    (3, "many processes", include_str!("../../migrations/0003_many_processes.sql")),
    (4, "models", include_str!("../../migrations/0004_models.sql")),
    (5, "caption styles", include_str!("../../migrations/0005_caption_styles.sql")),
    (6, "notes", include_str!("../../migrations/0006_notes.sql")),
];

pub(super) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let migrations = FILES.map(|(version, description, sql)| {
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into())
});

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn every_file_of_the_folder_is_carried_as_it_is() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let there = Migrator::new(folder).await.expect("a folder of migrations");
        let listed = |of: &Migrator| -> Vec<_> {
            of.iter()
                .map(|one| (one.version, one.description.clone(), one.checksum.clone(), one.no_tx))
                .collect()
        };
        assert_eq!(listed(&MIGRATIONS), listed(&there));
    }
}
