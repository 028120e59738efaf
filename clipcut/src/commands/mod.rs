//! The commands, a file each.

pub(crate) mod accounts;
mod admin;
pub(crate) mod configuration;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod edge;
pub(crate) mod fsck;
mod library_metrics;
pub(crate) mod login;
pub(crate) mod migrate;
pub(crate) mod model;
pub(crate) mod origin;
pub(crate) mod package;
pub(crate) mod packager;
mod password;
pub(crate) mod process;
mod purge;
mod refusal;
pub(crate) mod serve;
mod stop;
mod token;
pub(crate) mod transcribe;
pub(crate) mod transcriber;
pub(crate) mod upload;
pub(crate) mod user;
