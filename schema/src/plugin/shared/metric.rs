//! What metrics of `statsd` and `datadog` have in common.

use crate::field::{Conditional, EntityCheck, Match};

/// Counters and gauges say how many of the requests they stand for.
pub(crate) const RATE_CHECK: EntityCheck = EntityCheck::Conditional(Conditional::new(
    "stat_type",
    Match::OneOf(&["counter", "gauge"]),
    "sample_rate",
    Match::Required,
));
