//! The speech models' languages, which transcribers have read in the models' files, so that an
//! origin, which has no model, can refuse others at once.

use crate::{Captions, Result, sql::query};

impl Captions {
    /// Records the languages of a model in place of those before; an empty list means that it is missing. Without a name it
    /// is the one that is used where a wish names none.
    pub async fn learn_languages(&self, model: Option<&str>, codes: &[String]) -> Result<()> {
        let statement = query(
            "insert into models (name, languages) values ($1, $2)
             on conflict (name) do update set languages = excluded.languages",
        );
        statement.bind(model.unwrap_or_default()).bind(&codes.join(" ")).execute(&self.sql).await?;
        Ok(())
    }

    /// Returns the languages of a model, by their codes; none while no transcriber has read them.
    pub async fn languages_of(&self, model: Option<&str>) -> Result<Vec<String>> {
        let statement = query("select languages from models where name = $1").bind(model.unwrap_or_default());
        let codes: Option<String> = statement.fetch_optional(&self.sql).await?;
        Ok(codes.unwrap_or_default().split_whitespace().map(str::to_owned).collect())
    }
}
