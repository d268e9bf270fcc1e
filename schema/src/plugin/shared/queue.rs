//! The record `queue` of plugins that send in batches (`kong/tools/queue_schema.lua`).

use crate::field::{Check, Default, Field, Kind, Record, Type};

/// `queue`: how entries wait, are batched and sent again.
pub(crate) const QUEUE: Field =
    Field::record("queue", &RECORD).description("How entries wait, are batched and sent again.");

/// The record itself, for plugins with a default of their own.
pub(crate) static RECORD: Record = Record::new(&[
    Field::new("max_batch_size", COUNT)
        .default(Default::Integer(1))
        .description("Most entries of one batch."),
    Field::new(
        "max_coalescing_delay",
        Type::with(Kind::Number, &[Check::Between(0, 3600)]),
    )
    .default(Default::Integer(1))
    .description("Longest wait for a batch to fill, in seconds."),
    Field::new("max_entries", COUNT)
        .default(Default::Integer(10_000))
        .description("Most entries that wait."),
    Field::new("max_bytes", Type::new(Kind::Integer))
        .description("Most bytes that wait; for entries that are texts."),
    Field::new("max_retry_time", Type::new(Kind::Number))
        .default(Default::Integer(60))
        .description("How long a batch is sent again before it is dropped, in seconds; -1: never."),
    Field::new("initial_retry_delay", DELAY)
        .default(Default::Number(0.01))
        .description("Wait before the first new attempt, in seconds; it doubles each time."),
    Field::new("max_retry_delay", DELAY)
        .default(Default::Integer(60))
        .description("Longest wait between attempts, in seconds."),
    Field::new(
        "concurrency_limit",
        Type::with(Kind::Integer, &[Check::OneOfIntegers(&[-1, 1])]),
    )
    .default(Default::Integer(1))
    .description("Batches sent at the same time; -1: any number, without waiting in a queue."),
]);

const COUNT: Type = Type::with(Kind::Integer, &[Check::Between(1, 1_000_000)]);
const DELAY: Type = Type::with(Kind::Number, &[Check::BetweenNumbers(0.001, 1_000_000.0)]);
