//! Name resolution: Kong's older client, and its newer one.

use super::super::{check, kind::Kind, range};
use super::{Key, core, ignored, useful};

const NUMBER: Kind = Kind::Number(range::ANY);

#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    core("dns_resolver", Kind::List(check::name_servers), "Name servers, address[:port]; unset, those of resolv.conf."),
    core("dns_hostsfile", Kind::Text(check::existing_file), "Hosts file.").default("/etc/hosts"),
    core("dns_order", Kind::List(check::dns_order), "Order in which record types are asked for.")
        .default("LAST,SRV,A,CNAME"),
    useful("dns_valid_ttl", NUMBER, "Seconds a good answer is kept, whatever it says."),
    useful("dns_stale_ttl", NUMBER, "Seconds a stale answer may serve.").default("3600"),
    useful("dns_cache_size", NUMBER, "Answers kept.").default("10000"),
    useful("dns_not_found_ttl", NUMBER, "Seconds an empty answer is kept.").default("30"),
    useful("dns_error_ttl", NUMBER, "Seconds an error is kept.").default("1"),
    useful("dns_no_sync", Kind::Switch, "Whether equal queries at a time are all sent.").default("off"),
    useful("new_dns_client", Kind::Switch, "Whether the newer client is used, with its statistics.").default("off"),
    useful("resolver_address", Kind::List(check::name_servers), "Name servers of the newer client."),
    useful("resolver_hosts_file", Kind::Text(check::existing_file), "Its hosts file.").default("/etc/hosts"),
    useful("resolver_family", Kind::List(check::resolver_family), "Record types it asks for.").default("A,SRV"),
    useful("resolver_valid_ttl", NUMBER, "Seconds it keeps a good answer, whatever it says."),
    useful("resolver_error_ttl", NUMBER, "Seconds it keeps an error or an empty answer.").default("1"),
    useful("resolver_stale_ttl", NUMBER, "Seconds a stale answer of it may serve.").default("3600"),
    ignored("resolver_lru_cache_size", NUMBER, "Answers that each worker keeps.").default("10000"),
    ignored("resolver_mem_cache_size", Kind::Bytes, "Size of the cache that workers share.").default("5m"),
];
