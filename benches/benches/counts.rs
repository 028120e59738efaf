//! How many instructions the paths take, counted by callgrind: `make bench-counts`. The counts repeat on a noisy
//! machine; the last counts stand here, and a rise of more than three in a hundred fails. A fall is to be
//! written down too. Counted with the compiler of `rust-toolchain.toml` on x86-64.
#![expect(missing_docs, reason = "the macros write public items")]

use std::hint::black_box;

use benches::{Hit, RangeHeader, RequestTarget, TicketPath};
use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};

// Each returns its setup, so that dropping it is not counted.

fn counted(instructions: u64) -> LibraryBenchmarkConfig {
    let most = instructions * 103 / 100;
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(Callgrind::default().hard_limits([(EventKind::Ir, most)]));
    config
}

#[library_benchmark]
#[bench::of_a_segment(args = (RangeHeader::default()), config = counted(1_045))]
fn range(range: RangeHeader) -> RangeHeader {
    _ = black_box(black_box(&range).run());
    range
}

#[library_benchmark]
#[bench::in_a_path(args = (TicketPath::default()), config = counted(8_854))]
fn ticket(ticket: TicketPath) -> TicketPath {
    _ = black_box(black_box(&ticket).run());
    ticket
}

#[library_benchmark]
#[bench::of_a_target(args = (RequestTarget::default()), config = counted(1_983))]
fn key(target: RequestTarget) -> RequestTarget {
    _ = black_box(black_box(&target).run());
    target
}

#[library_benchmark]
#[bench::of_a_segment(args = (Hit::default()), config = counted(6_405))]
fn hit(hit: Hit) -> Hit {
    _ = black_box(black_box(&hit).run());
    hit
}

library_benchmark_group!(
    name = paths;
    benchmarks = range, ticket, key, hit
);
main!(library_benchmark_groups = paths);
