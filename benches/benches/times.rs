//! How long the paths take, by criterion: `cargo bench --package benches --bench times`.

use std::hint::black_box;

use benches::{Hit, RangeHeader, RequestTarget, TicketPath};
use criterion::{Criterion, criterion_group, criterion_main};

fn paths(criterion: &mut Criterion) {
    let range = RangeHeader::default();
    criterion.bench_function("range", |b| b.iter(|| black_box(&range).run()));
    let ticket = TicketPath::default();
    criterion.bench_function("ticket", |b| b.iter(|| black_box(&ticket).run()));
    let target = RequestTarget::default();
    criterion.bench_function("key", |b| b.iter(|| black_box(&target).run()));
    let hit = Hit::default();
    criterion.bench_function("hit", |b| b.iter(|| black_box(&hit).run()));
}

criterion_group!(
    name = all;
    config = Criterion::default().without_plots();
    targets = paths
);
criterion_main!(all);
