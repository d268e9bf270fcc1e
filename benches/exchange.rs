//! What the gateway's own code costs per request, without sockets: parsing heads, and one exchange
//! from the client's head to the client's answer head.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use silverback_benches::exchange::{self, Exchange};
use silverback_core::http1::head::{with_request, with_response};

fn heads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("head");
    for (name, head) in [
        ("wrk", exchange::REQUEST),
        ("browser", exchange::BROWSER_REQUEST),
    ] {
        group.bench_function(format!("request/{name}"), |bencher| {
            bencher.iter(|| with_request(black_box(head), |head| head.headers.len()));
        });
    }
    group.bench_function("response", |bencher| {
        bencher.iter(|| with_response(black_box(exchange::RESPONSE), |head| head.status));
    });
    group.finish();
}

fn exchanges(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("exchange");
    for routes in [10, 10_000] {
        let mut exchange = Exchange::new(routes);
        for (name, head) in [
            ("wrk", exchange::REQUEST),
            ("browser", exchange::BROWSER_REQUEST),
        ] {
            group.bench_function(format!("{routes} routes/{name}"), |bencher| {
                bencher.iter(|| exchange.run(black_box(head)));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, heads, exchanges);
criterion_main!(benches);
