//! Time of a router lookup, over the number of routes and their shape: CPU time of the thread, so
//! that whatever else runs on the machine does not count. Requests hit routes all over the
//! configuration, so that caches of the processor help as little as they would in use.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use silverback_benches::{CpuTime, Shape, request, store, targets};
use silverback_core::router::Router;

/// Requests that take turns.
const TARGETS: usize = 100_000;

fn lookup(criterion: &mut Criterion<CpuTime>) {
    let mut group = criterion.benchmark_group("lookup");
    for shape in Shape::ALL {
        for total in [10, 10_000, 1_000_000] {
            let (_dir, store) = store(shape, total);
            let snapshot = store.reader().expect("a snapshot");
            let targets = targets(shape, total, TARGETS);
            let mut router = Router::new();
            let mut turn = targets.iter().cycle();
            group.bench_function(BenchmarkId::new(shape.name(), total), |bencher| {
                bencher.iter(|| {
                    let (host, path) = turn.next().expect("it cycles");
                    let found = router.find(&snapshot, &request(host, path));
                    assert!(black_box(found).expect("sound records").is_some());
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = lookup
}
criterion_main!(benches);
