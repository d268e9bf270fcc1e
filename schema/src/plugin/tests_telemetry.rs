//! What the plugins that log, measure and trace accept and refuse, and what they fill in.

use serde_json::json;

use super::tests_support::{accepts, refuses};

#[test]
fn file_log_takes_a_file_name() {
    accepts(
        "file-log",
        json!({"path": "/dev/null"}),
        json!({"path": "/dev/null", "reopen": false, "custom_fields_by_lua": null}),
    );
    for (config, errors) in [
        (json!({}), json!({"path": "required field missing"})),
        (json!({"path": ""}), json!({"path": "not a valid filename"})),
        (
            json!({"path": "a`b"}),
            json!({"path": "not a valid filename"}),
        ),
        (
            json!({"path": r"a\b"}),
            json!({"path": "not a valid filename"}),
        ),
        (
            json!({"path": "log/a", "reopen": "x"}),
            json!({"reopen": "expected a boolean"}),
        ),
        (
            json!({"path": "a", "custom_fields_by_lua": {"x": ""}}),
            json!({"custom_fields_by_lua": "length must be at least 1"}),
        ),
    ] {
        refuses("file-log", config, json!({"config": errors}));
    }
}

#[test]
fn http_log_takes_a_url() {
    accepts(
        "http-log",
        json!({"http_endpoint": "http://127.0.0.1:9/log", "headers": {"x-a": "1"}}),
        json!({
            "http_endpoint": "http://127.0.0.1:9/log", "method": "POST",
            "content_type": "application/json", "timeout": 10000, "keepalive": 60000,
            "retry_count": null, "queue_size": null, "flush_timeout": null,
            "headers": {"x-a": "1"}, "queue": queue(1), "custom_fields_by_lua": null,
        }),
    );
    for (config, errors) in [
        (
            json!({}),
            json!({"http_endpoint": "required field missing"}),
        ),
        (
            json!({"http_endpoint": "nope"}),
            json!({"http_endpoint": "missing host in url"}),
        ),
        (
            json!({"http_endpoint": "http://a.test", "method": "GET"}),
            json!({"method": "expected one of: POST, PUT, PATCH"}),
        ),
        (
            json!({"http_endpoint": "http://a.test", "content_type": "x"}),
            json!({"content_type":
                "expected one of: application/json, application/json; charset=utf-8"}),
        ),
        (
            json!({"http_endpoint": "http://a.test", "queue": {"max_batch_size": 0}}),
            json!({"queue": {"max_batch_size": "value should be between 1 and 1000000"}}),
        ),
        (
            json!({"http_endpoint": "http://a.test", "headers": {"hOST": "x"}}),
            json!({"headers": "cannot contain 'Host' header"}),
        ),
        (
            json!({"http_endpoint": "http://a.test", "headers": {"content-length": "x"}}),
            json!({"headers": "cannot contain 'Content-Length' header"}),
        ),
        (
            json!({"http_endpoint": "http://a.test", "headers": {"Content-Type": "x"}}),
            json!({"headers": "cannot contain 'Content-Type' header"}),
        ),
        (
            json!({"http_endpoint": "http://a.test", "headers": {"a b": "x"}}),
            json!({"headers":
                "bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', and '-'"}),
        ),
        (
            json!({"http_endpoint": "http://u:p@a.test/", "headers": {"authorization": "x"}}),
            json!(
                "specifying both an 'Authorization' header and user info in 'http_endpoint' \
                   is not allowed"
            ),
        ),
    ] {
        refuses("http-log", config, json!({"config": errors}));
    }
}

#[test]
fn tcp_log_takes_an_address() {
    accepts(
        "tcp-log",
        json!({"host": "127.0.0.1", "port": 9}),
        json!({
            "host": "127.0.0.1", "port": 9, "timeout": 10000, "keepalive": 60000, "tls": false,
            "tls_sni": null, "custom_fields_by_lua": null,
        }),
    );
    refuses(
        "tcp-log",
        json!({"host": "a.test:80", "tls": null}),
        json!({"config": {
            "host": "must not have a port",
            "port": "required field missing",
            "tls": "required field missing",
        }}),
    );
}

#[test]
fn udp_log_takes_an_address() {
    accepts(
        "udp-log",
        json!({"host": "127.0.0.1", "port": 9}),
        json!({"host": "127.0.0.1", "port": 9, "timeout": 10000, "custom_fields_by_lua": null}),
    );
    refuses(
        "udp-log",
        json!({}),
        json!({"config": {"port": "required field missing", "host": "required field missing"}}),
    );
    refuses(
        "udp-log",
        json!({"host": "a.test", "port": -1}),
        json!({"config": {"port": "value should be between 0 and 65535"}}),
    );
}

#[test]
fn syslog_takes_severities_and_a_facility() {
    accepts(
        "syslog",
        json!({"facility": "local0"}),
        json!({
            "log_level": "info", "successful_severity": "info", "client_errors_severity": "info",
            "server_errors_severity": "info", "custom_fields_by_lua": null, "facility": "local0",
        }),
    );
    refuses(
        "syslog",
        json!({"facility": "x"}),
        json!({"config": {"facility":
            "expected one of: auth, authpriv, cron, daemon, ftp, kern, lpr, mail, news, syslog, \
             user, uucp, local0, local1, local2, local3, local4, local5, local6, local7"}}),
    );
    refuses(
        "syslog",
        json!({"log_level": "x"}),
        json!({"config": {"log_level":
            "expected one of: debug, info, notice, warning, err, crit, alert, emerg"}}),
    );
}

#[test]
fn loggly_takes_a_key() {
    accepts(
        "loggly",
        json!({"key": "k"}),
        json!({
            "host": "logs-01.loggly.com", "port": 514, "key": "k", "tags": ["kong"],
            "log_level": "info", "successful_severity": "info", "client_errors_severity": "info",
            "server_errors_severity": "info", "timeout": 10000, "custom_fields_by_lua": null,
        }),
    );
    refuses(
        "loggly",
        json!({"tags": "x"}),
        json!({"config": {"key": "required field missing", "tags": "expected a set"}}),
    );
}

#[test]
fn prometheus_takes_switches() {
    accepts(
        "prometheus",
        json!({}),
        json!({
            "per_consumer": false, "status_code_metrics": false, "ai_metrics": false,
            "latency_metrics": false, "bandwidth_metrics": false,
            "upstream_health_metrics": false,
        }),
    );
    refuses(
        "prometheus",
        json!({"latency_metrics": "x"}),
        json!({"config": {"latency_metrics": "expected a boolean"}}),
    );
    refuses(
        "prometheus",
        json!({"x": true}),
        json!({"config": {"x": "unknown field"}}),
    );
}

#[test]
fn statsd_fills_in_all_metrics() {
    let metric = |name: &str, kind: &str, rate: serde_json::Value| {
        json!({
            "name": name, "stat_type": kind, "sample_rate": rate, "consumer_identifier": null,
            "service_identifier": null, "workspace_identifier": null,
        })
    };
    accepts(
        "statsd",
        json!({}),
        json!({
            "host": "localhost", "port": 8125, "prefix": "kong",
            "metrics": [
                metric("request_count", "counter", json!(1)),
                metric("latency", "timer", json!(null)),
                metric("request_size", "counter", json!(1)),
                metric("status_count", "counter", json!(1)),
                metric("response_size", "counter", json!(1)),
                metric("unique_users", "set", json!(null)),
                metric("request_per_user", "counter", json!(1)),
                metric("upstream_latency", "timer", json!(null)),
                metric("kong_latency", "timer", json!(null)),
                metric("status_count_per_user", "counter", json!(1)),
                metric("status_count_per_workspace", "counter", json!(1)),
                metric("status_count_per_user_per_route", "counter", json!(1)),
                metric("shdict_usage", "gauge", json!(1)),
            ],
            "allow_status_codes": null, "udp_packet_size": 0, "use_tcp": false,
            "hostname_in_prefix": false, "consumer_identifier_default": "custom_id",
            "service_identifier_default": "service_name_or_host",
            "workspace_identifier_default": "workspace_id", "retry_count": null,
            "queue_size": null, "flush_timeout": null, "tag_style": null, "queue": queue(1),
        }),
    );
}

#[test]
fn statsd_refuses_what_no_server_understands() {
    for (config, errors) in [
        (
            json!({"metrics": [{"name": "nope", "stat_type": "counter"}]}),
            json!({"metrics": [{
                "name": "expected one of: kong_latency, latency, request_count, \
                         request_per_user, request_size, response_size, status_count, \
                         status_count_per_user, unique_users, upstream_latency, \
                         status_count_per_workspace, status_count_per_user_per_route, \
                         shdict_usage",
                "@entity": ["failed conditional validation given value of field 'stat_type'"],
                "sample_rate": "required field missing",
            }]}),
        ),
        (
            json!({"metrics": [{"name": "latency", "stat_type": "timer", "sample_rate": 0}]}),
            json!({"metrics": [{"sample_rate": "value must be greater than 0"}]}),
        ),
        (
            json!({"tag_style": "x"}),
            json!({"tag_style": "expected one of: dogstatsd, influxdb, librato, signalfx"}),
        ),
        (json!({"port": "x"}), json!({"port": "expected an integer"})),
        (
            json!({"allow_status_codes": ["200-299", "abc"]}),
            json!({"allow_status_codes": [null, "invalid value: abc"]}),
        ),
        (
            json!({"udp_packet_size": 65508}),
            json!({"udp_packet_size": "value should be between 0 and 65507"}),
        ),
    ] {
        refuses("statsd", config, json!({"config": errors}));
    }
}

#[test]
fn datadog_fills_in_all_metrics() {
    let metric = |name: &str, kind: &str, rate: serde_json::Value| {
        json!({
            "name": name, "stat_type": kind, "tags": ["app:kong"], "sample_rate": rate,
            "consumer_identifier": "custom_id",
        })
    };
    accepts(
        "datadog",
        json!({}),
        json!({
            "host": "localhost", "port": 8125, "prefix": "kong", "service_name_tag": "name",
            "status_tag": "status", "consumer_tag": "consumer", "retry_count": null,
            "queue_size": null, "flush_timeout": null, "queue": queue(1),
            "metrics": [
                metric("request_count", "counter", json!(1)),
                metric("latency", "timer", json!(null)),
                metric("request_size", "timer", json!(null)),
                metric("response_size", "timer", json!(null)),
                metric("upstream_latency", "timer", json!(null)),
                metric("kong_latency", "timer", json!(null)),
            ],
        }),
    );
}

#[test]
fn datadog_refuses_what_no_agent_understands() {
    for (config, errors) in [
        (
            json!({"metrics": [{"name": "nope", "stat_type": "counter"}]}),
            json!({"metrics": [{
                "name": "expected one of: kong_latency, latency, request_count, request_size, \
                         response_size, upstream_latency",
                "@entity": ["failed conditional validation given value of field 'stat_type'"],
                "sample_rate": "required field missing",
            }]}),
        ),
        (
            json!({"metrics": [{"name": "latency", "stat_type": "timer", "tags": ["a:"]}]}),
            json!({"metrics": [{"tags": ["invalid value: a:"]}]}),
        ),
        (
            json!({"metrics": [{"name": "latency", "stat_type": "set", "sample_rate": 1.5}]}),
            json!({"metrics": [{"sample_rate": "value should be between 0 and 1"}]}),
        ),
        (
            json!({"metrics": null}),
            json!({"metrics": "required field missing"}),
        ),
        (
            json!({"host": "bad host"}),
            json!({"host": "invalid value: bad host"}),
        ),
    ] {
        refuses("datadog", config, json!({"config": errors}));
    }
}

#[test]
fn zipkin_needs_nothing() {
    accepts(
        "zipkin",
        json!({}),
        json!({
            "local_service_name": "kong", "http_endpoint": null, "sample_ratio": 0.001,
            "default_service_name": null, "include_credential": true, "traceid_byte_count": 16,
            "header_type": "preserve", "default_header_type": "b3", "tags_header": "Zipkin-Tags",
            "static_tags": null, "http_span_name": "method", "connect_timeout": 2000,
            "send_timeout": 5000, "read_timeout": 5000,
            "http_response_header_for_traceid": null, "phase_duration_flavor": "annotations",
            "queue": queue(1), "propagation": propagation("b3"),
        }),
    );
}

#[test]
fn zipkin_refuses_bad_tags_and_formats() {
    for (config, errors) in [
        (
            json!({"static_tags": [{"name": "error", "value": "x"}]}),
            json!({"static_tags": [{"name":
                "must not be one of: error, http.method, http.path, http.status_code, \
                 kong.balancer.state, kong.balancer.try, kong.consumer, kong.credential, \
                 kong.node.id, kong.route, kong.service, lc, peer.hostname"}]}),
        ),
        (
            json!({"static_tags": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}),
            json!({"static_tags": "repeated tags are not allowed: a"}),
        ),
        (
            json!({"traceid_byte_count": 9}),
            json!({"traceid_byte_count": "expected one of: 8, 16"}),
        ),
        (
            json!({"header_type": "x"}),
            json!({"header_type": "expected one of: preserve, ignore, b3, b3-single, w3c, \
                                   jaeger, ot, aws, datadog, gcp"}),
        ),
        (
            json!({"propagation": {}}),
            json!({"propagation": {"default_format": "required field missing"}}),
        ),
        (
            json!({"propagation": {"default_format": "b3", "extract": ["b3-single"],
                                   "clear": ["a b"]}}),
            json!({"propagation": {
                "extract": ["expected one of: w3c, b3, jaeger, ot, datadog, aws, gcp"],
                "clear": ["bad header name 'a b', allowed characters are A-Z, a-z, 0-9, '_', \
                           and '-'"],
            }}),
        ),
        (
            json!({"sample_ratio": 1.1}),
            json!({"sample_ratio": "value should be between 0 and 1"}),
        ),
    ] {
        refuses("zipkin", config, json!({"config": errors}));
    }
}

fn opentelemetry(endpoint: &str) -> serde_json::Value {
    json!({
        "traces_endpoint": endpoint, "logs_endpoint": null, "headers": null,
        "resource_attributes": null, "queue": queue(200), "batch_span_count": null,
        "batch_flush_delay": null, "connect_timeout": 1000, "send_timeout": 5000,
        "read_timeout": 5000, "http_response_header_for_traceid": null,
        "header_type": "preserve", "sampling_rate": null, "propagation": propagation("w3c"),
    })
}

#[test]
fn opentelemetry_takes_an_endpoint() {
    accepts(
        "opentelemetry",
        json!({"traces_endpoint": "http://127.0.0.1:9/v1/traces"}),
        opentelemetry("http://127.0.0.1:9/v1/traces"),
    );
    for (config, errors) in [
        (
            json!({"traces_endpoint": "nope"}),
            json!({"traces_endpoint": "missing host in url"}),
        ),
        (
            json!({"sampling_rate": 2}),
            json!({
                "@entity": ["at least one of these fields must be non-empty: \
                             'traces_endpoint', 'logs_endpoint'"],
                "sampling_rate": "value should be between 0 and 1",
            }),
        ),
        (
            json!({"traces_endpoint": "http://a.test", "resource_attributes": {"a": ""}}),
            json!({"resource_attributes": "length must be at least 1"}),
        ),
    ] {
        refuses("opentelemetry", config, json!({"config": errors}));
    }
}

#[test]
fn a_queue_given_in_part_has_the_general_defaults() {
    let mut expected = opentelemetry("http://a.test");
    expected["queue"] = queue(1);
    accepts(
        "opentelemetry",
        json!({"traces_endpoint": "http://a.test", "queue": {}}),
        expected,
    );
}

#[test]
fn the_old_name_of_the_traces_endpoint_still_works() {
    accepts(
        "opentelemetry",
        json!({"endpoint": "http://a.test"}),
        opentelemetry("http://a.test"),
    );
    accepts(
        "opentelemetry",
        json!({"endpoint": "http://old.test", "traces_endpoint": "http://new.test"}),
        opentelemetry("http://new.test"),
    );
    refuses(
        "opentelemetry",
        json!({"endpoint": "nope"}),
        json!({"endpoint": "missing host in url"}),
    );
}

#[test]
fn an_endpoint_may_be_a_vault_reference() {
    accepts(
        "opentelemetry",
        json!({"traces_endpoint": "{vault://env/otlp}"}),
        opentelemetry("{vault://env/otlp}"),
    );
}

fn queue(max_batch_size: i64) -> serde_json::Value {
    json!({
        "max_batch_size": max_batch_size, "max_coalescing_delay": 1, "max_entries": 10000,
        "max_bytes": null, "max_retry_time": 60, "initial_retry_delay": 0.01,
        "max_retry_delay": 60, "concurrency_limit": 1,
    })
}

fn propagation(default_format: &str) -> serde_json::Value {
    json!({
        "extract": null, "clear": null, "inject": null, "default_format": default_format,
    })
}
