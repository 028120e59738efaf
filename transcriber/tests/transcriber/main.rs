//! The transcriber by its public doors, on the demo model.

mod folder;
mod going_on;
mod harness;
mod hub;
mod parity;
mod truth;
mod worker;
