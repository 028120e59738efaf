//! The settings of ONNX Runtime's sessions.

use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::{device::Accelerator, processor::Processor};
use crate::runtime::Runtime;

/// Returns the builder of a network's session.
pub(super) fn builder(runtime: &Runtime, threads: usize) -> ort::Result<SessionBuilder> {
    let builder = ort::session::Session::builder(&runtime.environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads.max(1))?
        .with_inter_threads(1)?
        // Waiting threads sleep: encoders share the processor, and spinning would slow them down.
        .with_intra_op_spinning(false)?
        .with_deterministic_compute(true)?;
    match Processor::here() {
        Processor::Vnni => Ok(builder),
        // Networks that are published with s8 weights overflow otherwise: wrong words, and no error. With VNNI the
        // exact path would only be slower.
        Processor::Plain => Ok(builder.with_precise_qmm()?),
    }
}

/// Returns the builder of a session that runs on `accelerator`, and on the processor what that cannot do.
pub(super) fn accelerated(
    runtime: &Runtime,
    threads: usize,
    accelerator: Accelerator,
) -> ort::Result<SessionBuilder> {
    let mut builder = builder(runtime, threads)?;
    accelerator.register(&mut builder)?;
    Ok(builder)
}
