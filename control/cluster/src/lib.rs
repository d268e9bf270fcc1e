//! Both ends of the road by which a configuration reaches a node.
//!
//! | module | owns |
//! |---|---|
//! | [`agent`] | the data plane's end: applies configurations, and waits where shards must not |

pub mod agent;
