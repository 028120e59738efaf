//! The commands, a file each.

pub(crate) mod configuration;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod edge;
pub(crate) mod migrate;
pub(crate) mod model;
pub(crate) mod origin;
pub(crate) mod package;
pub(crate) mod packager;
pub(crate) mod process;
mod purge;
pub(crate) mod serve;
mod stop;
pub(crate) mod transcribe;
pub(crate) mod transcriber;
pub(crate) mod upload;
