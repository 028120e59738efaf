//! Schemas that the API's document shares: words of a fixed set, times and binary bodies.

use utoipa::openapi::{
    Object,
    schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type},
};

/// Returns the schema of one of `words`.
pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// Returns the schema of a time as RFC 3339 writes it.
pub fn time() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build()
}

/// Returns the schema of a name by which something is asked for: the letters that all names of ours are made of.
pub fn id() -> Object {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9a-z-]{1,64}$")).build()
}
