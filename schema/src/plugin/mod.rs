//! The bundled plugins: what their configuration may say, one file each.
//!
//! A plugin is data ([`Plugin`]): name, priority, the fields that replace those of the entity
//! `plugins`, and entities of its own (credentials). Its behaviour lives on the data plane.
//! Adding one is a file and a line in [`PLUGINS`].
//!
//! Source: `kong/plugins/*/schema.lua` and `daos.lua` of Kong 3.9.3, `kong/constants.lua`.

mod acl;
mod acme;
mod ai_prompt_decorator;
mod ai_prompt_guard;
mod ai_prompt_template;
mod ai_proxy;
mod ai_request_transformer;
mod ai_response_transformer;
mod aws_lambda;
mod azure_functions;
mod basic_auth;
mod bot_detection;
mod correlation_id;
mod cors;
mod datadog;
mod file_log;
mod function;
mod grpc_gateway;
mod grpc_web;
mod hmac_auth;
mod http_log;
mod ip_restriction;
mod jwt;
mod key_auth;
mod ldap_auth;
mod loggly;
mod oauth2;
mod opentelemetry;
mod prometheus;
mod proxy_cache;
mod rate_limiting;
mod redirect;
#[cfg(test)]
mod reference;
mod request_size_limiting;
mod request_termination;
mod request_transformer;
mod response_ratelimiting;
mod response_transformer;
mod session;
pub(crate) mod shared;
mod standard_webhooks;
mod statsd;
mod syslog;
mod tcp_log;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_cloud;
#[cfg(test)]
mod tests_support;
#[cfg(test)]
mod tests_telemetry;
mod udp_log;
mod zipkin;

use crate::field::{Schema, Subschema};

/// A bundled plugin.
#[derive(Debug)]
pub struct Plugin {
    /// Kong's name.
    pub name: &'static str,
    /// Order within a phase, highest first.
    pub priority: i32,
    /// Pins, protocols and `config`, and checks across the plugin entity.
    pub schema: Subschema,
    /// Its own entities.
    pub entities: &'static [&'static Schema],
}

/// What every bundled plugin reports as its version.
pub const VERSION: &str = "3.9.3";

/// Every bundled plugin, in the order of Kong's list.
pub static PLUGINS: &[&Plugin] = &[
    &jwt::PLUGIN,
    &acl::PLUGIN,
    &correlation_id::PLUGIN,
    &cors::PLUGIN,
    &oauth2::PLUGIN,
    &tcp_log::PLUGIN,
    &udp_log::PLUGIN,
    &file_log::PLUGIN,
    &http_log::PLUGIN,
    &key_auth::PLUGIN,
    &hmac_auth::PLUGIN,
    &basic_auth::PLUGIN,
    &ip_restriction::PLUGIN,
    &request_transformer::PLUGIN,
    &response_transformer::PLUGIN,
    &request_size_limiting::PLUGIN,
    &rate_limiting::PLUGIN,
    &response_ratelimiting::PLUGIN,
    &syslog::PLUGIN,
    &loggly::PLUGIN,
    &datadog::PLUGIN,
    &ldap_auth::PLUGIN,
    &statsd::PLUGIN,
    &bot_detection::PLUGIN,
    &aws_lambda::PLUGIN,
    &request_termination::PLUGIN,
    &prometheus::PLUGIN,
    &proxy_cache::PLUGIN,
    &session::PLUGIN,
    &acme::PLUGIN,
    &grpc_gateway::PLUGIN,
    &grpc_web::PLUGIN,
    &function::PRE,
    &function::POST,
    &azure_functions::PLUGIN,
    &zipkin::PLUGIN,
    &opentelemetry::PLUGIN,
    &ai_proxy::PLUGIN,
    &ai_prompt_decorator::PLUGIN,
    &ai_prompt_template::PLUGIN,
    &ai_prompt_guard::PLUGIN,
    &ai_request_transformer::PLUGIN,
    &ai_response_transformer::PLUGIN,
    &standard_webhooks::PLUGIN,
    &redirect::PLUGIN,
];

/// The plugin of that name.
pub fn find(name: &str) -> Option<&'static Plugin> {
    PLUGINS.iter().copied().find(|plugin| plugin.name == name)
}
