//! Wall time of the store: applying, deltas, switching a reader, opening.
//!
//! The store is on the disk of the temporary directory, and each commit is durable: what the disk
//! takes is part of the figures.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use silverback_benches::{Shape, config, empty_store, open, request, route, store, targets};
use silverback_core::router::Router;
use silverback_schema::snapshot::{Delta, Source};

const SIZES: [usize; 2] = [10, 1_000_000];
const SHAPE: Shape = Shape::HostsAndPaths;

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(30));
    for total in SIZES {
        let config = config(SHAPE, total);
        group.bench_function(BenchmarkId::new("to_an_empty_store", total), |bencher| {
            bencher.iter_batched(
                empty_store,
                |(dir, store)| {
                    store.apply(&config, Source::default()).expect("sound");
                    (dir, store)
                },
                BatchSize::PerIteration,
            );
        });
        let (_dir, store) = store(SHAPE, total);
        group.bench_function(BenchmarkId::new("again_unchanged", total), |bencher| {
            bencher.iter(|| store.apply(&config, Source::default()).expect("sound"));
        });
    }
    group.finish();
}

fn delta(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("delta_of_one_route");
    group.sample_size(50);
    for total in SIZES {
        let (_dir, store) = store(SHAPE, total);
        let mut number = 0;
        group.bench_function(BenchmarkId::from_parameter(total), |bencher| {
            bencher.iter(|| {
                number = (number + 7919) % total;
                let mut changed = route(SHAPE, number, total);
                // Every second time the path changes, else it changes back.
                changed.paths[0].push_str(if number % 2 == 0 { "-changed" } else { "" });
                let mut delta = Delta::default();
                delta.routes.upsert.push(changed);
                store.apply_delta(&delta, Source::default()).expect("sound")
            });
        });
    }
    group.finish();
}

fn switch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reader_switch");
    for total in SIZES {
        let (_dir, store) = store(SHAPE, total);
        let mut snapshot = None;
        group.bench_function(BenchmarkId::from_parameter(total), |bencher| {
            bencher.iter(|| {
                snapshot = None;
                snapshot = Some(store.reader().expect("a snapshot"));
                black_box(
                    snapshot
                        .as_ref()
                        .map(silverback_schema::snapshot::Snapshot::version),
                )
            });
        });
    }
    group.finish();
}

fn open_and_answer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("open");
    group.sample_size(10);
    for total in SIZES {
        let (dir, store) = store(SHAPE, total);
        drop(store);
        let (host, path) = targets(SHAPE, total, 1).remove(0);
        group.bench_function(BenchmarkId::new("and_answer_one", total), |bencher| {
            bencher.iter_custom(|rounds| {
                let mut taken = Duration::ZERO;
                for _ in 0..rounds {
                    let begin = Instant::now();
                    let store = open(&dir);
                    let snapshot = store.reader().expect("a snapshot");
                    let found = Router::new().find(&snapshot, &request(&host, &path));
                    assert!(found.expect("sound records").is_some());
                    taken += begin.elapsed();
                }
                taken
            });
        });
        let store = open(&dir);
        group.bench_function(BenchmarkId::new("verify_all", total), |bencher| {
            bencher.iter(|| store.verify_all().expect("sound records"));
        });
    }
    group.finish();
}

criterion_group!(benches, apply, delta, switch, open_and_answer);
criterion_main!(benches);
