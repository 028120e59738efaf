//! The part of a plan that an origin reads: the grid of its segments. The rest is the packager's.

use captions::Grid;
use serde::Deserialize;

#[derive(Deserialize)]
struct Planned {
    grid: Grid,
}

/// Reads the grid out of a stored plan.
pub(crate) fn grid(plan: &str) -> serde_json::Result<Grid> {
    serde_json::from_str(plan).map(|Planned { grid }| grid)
}
