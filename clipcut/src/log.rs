//! The log of the process: its form, and its filter, which an operator may change while the process runs; and traces beside it,
//! which are made of the same spans.

use std::{io::IsTerminal, sync::OnceLock};

use anyhow::{Context, Result};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

use crate::{config::Config, setting::LogFormat};

// One for a process, as the subscriber that it belongs to is.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();
static TRACES: OnceLock<traces::Exporter> = OnceLock::new();

/// Begins the log of a role, and its traces where they go anywhere.
pub(crate) fn begin(config: &Config, role: &str) -> Result<()> {
    let filter = config.log.parse::<EnvFilter>().with_context(|| format!("log = \"{}\"", config.log))?;
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer()
        // Colours would stand as escape codes in a journal or a file.
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // A write to a closed standard error must not panic: it would end the task that handles stop signals.
        .log_internal_errors(false);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let layers = match config.traces(role) {
        None => vec![lines.with_filter(filter).boxed()],
        // The filter is the log's alone: traces are made at a filter of `error`, too.
        Some(settings) => {
            let exporter = traces::Exporter::begin(&settings)
                .with_context(|| format!("otlp_endpoint = \"{}\"", settings.endpoint))?;
            let layers = vec![lines.with_filter(filter).boxed(), exporter.layer()];
            _ = TRACES.set(exporter);
            layers
        }
    };
    tracing_subscriber::registry().with(layers).init();
    _ = FILTER.set(handle);
    Ok(())
}

/// Sends the spans that are left. It blocks, for some seconds at most.
pub(crate) fn finish() {
    if let Some(traces) = TRACES.get() {
        traces.finish();
    }
}

/// Begins the log of a tool, which prints its own progress: errors, and the last lines of an ffmpeg that failed.
pub(crate) fn begin_for_tools() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter("error,packager::process=warn".parse::<EnvFilter>()?)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

/// Returns the filter in effect.
pub(crate) fn filter() -> Option<String> {
    FILTER.get()?.with_current(ToString::to_string).ok()
}

/// Puts another filter in effect. The error is a sentence about the filter.
pub(crate) fn set_filter(text: &str) -> Result<(), String> {
    let filter = text.trim().parse::<EnvFilter>().map_err(|error| format!("\"{}\": {error}", text.trim()))?;
    let handle = FILTER.get().ok_or_else(|| "this process has no log".to_owned())?;
    handle.reload(filter).map_err(|error| error.to_string())
}
