//! What the plugins for functions, gRPC and language models accept and refuse, and what they
//! fill in.

use serde_json::{Value, json};

use super::tests_support::{accepts, refuses};

#[test]
fn functions_need_code_in_one_phase() {
    for plugin in ["pre-function", "post-function"] {
        accepts(
            plugin,
            json!({"access": ["return 1"]}),
            json!({
                "certificate": [], "rewrite": [], "access": ["return 1"], "header_filter": [],
                "body_filter": [], "log": [],
            }),
        );
        refuses(
            plugin,
            json!({}),
            json!({"@entity": ["at least one of these fields must be non-empty: \
                'config.certificate', 'config.rewrite', 'config.access', \
                'config.header_filter', 'config.body_filter', 'config.log'"]}),
        );
        refuses(
            plugin,
            json!({"access": "x = 1", "log": ["x = 1"]}),
            json!({"config": {"access": "expected an array"}}),
        );
    }
}

#[test]
fn aws_lambda_needs_nothing() {
    accepts(
        "aws-lambda",
        json!({"function_name": "f", "aws_region": "us-east-1"}),
        json!({
            "timeout": 60000, "keepalive": 60000, "aws_key": null, "aws_secret": null,
            "aws_assume_role_arn": null, "aws_role_session_name": "kong",
            "aws_sts_endpoint_url": null, "aws_region": "us-east-1", "function_name": "f",
            "qualifier": null, "invocation_type": "RequestResponse", "log_type": "Tail",
            "host": null, "port": 443, "disable_https": false, "unhandled_status": null,
            "forward_request_method": false, "forward_request_uri": false,
            "forward_request_headers": false, "forward_request_body": false,
            "is_proxy_integration": false, "awsgateway_compatible": false, "proxy_url": null,
            "skip_large_bodies": true, "base64_encode_body": true,
            "aws_imds_protocol_version": "v1", "empty_arrays_mode": "legacy",
        }),
    );
}

#[test]
fn aws_lambda_refuses_half_a_key_and_a_proxy_with_tls() {
    refuses(
        "aws-lambda",
        json!({"aws_key": "a", "function_name": "f", "aws_region": "us-east-1"}),
        json!({"@entity":
            ["all or none of these fields must be set: 'config.aws_key', 'config.aws_secret'"]}),
    );
    refuses(
        "aws-lambda",
        json!({"proxy_url": "https://proxy.test"}),
        json!({"@entity": ["proxy_url scheme must be http"]}),
    );
    for (config, errors) in [
        (
            json!({"unhandled_status": 99}),
            json!({"unhandled_status": "value should be between 100 and 999"}),
        ),
        (
            json!({"invocation_type": "x"}),
            json!({"invocation_type": "expected one of: RequestResponse, Event, DryRun"}),
        ),
        (
            json!({"proxy_url": "proxy.test"}),
            json!({"proxy_url": "missing host in url"}),
        ),
    ] {
        refuses("aws-lambda", config, json!({"config": errors}));
    }
}

#[test]
fn a_vault_reference_counts_as_any_value() {
    let expected = json!({
        "timeout": 60000, "keepalive": 60000, "aws_key": "{vault://env/key}", "aws_secret": null,
        "aws_assume_role_arn": null, "aws_role_session_name": "kong",
        "aws_sts_endpoint_url": null, "aws_region": null, "function_name": null,
        "qualifier": null, "invocation_type": "RequestResponse", "log_type": "Tail",
        "host": null, "port": 443, "disable_https": false, "unhandled_status": null,
        "forward_request_method": false, "forward_request_uri": false,
        "forward_request_headers": false, "forward_request_body": false,
        "is_proxy_integration": false, "awsgateway_compatible": false, "proxy_url": null,
        "skip_large_bodies": true, "base64_encode_body": true,
        "aws_imds_protocol_version": "v1", "empty_arrays_mode": "legacy",
    });
    accepts(
        "aws-lambda",
        json!({"aws_key": "{vault://env/key}"}),
        expected,
    );
}

#[test]
fn azure_functions_takes_an_app_and_a_function() {
    accepts(
        "azure-functions",
        json!({"appname": "a", "functionname": "fn", "https": false}),
        json!({
            "timeout": 600_000, "keepalive": 60000, "https": false, "https_verify": false,
            "apikey": null, "clientid": null, "appname": "a", "hostdomain": "azurewebsites.net",
            "routeprefix": "api", "functionname": "fn",
        }),
    );
    refuses(
        "azure-functions",
        json!({"hostdomain": null}),
        json!({"config": {
            "appname": "required field missing",
            "hostdomain": "required field missing",
            "functionname": "required field missing",
        }}),
    );
}

#[test]
fn grpc_plugins_need_nothing() {
    accepts(
        "grpc-web",
        json!({}),
        json!({"proto": null, "pass_stripped_path": null, "allow_origin_header": "*"}),
    );
    accepts("grpc-gateway", json!({}), json!({"proto": null}));
    refuses(
        "grpc-web",
        json!({"pass_stripped_path": "x"}),
        json!({"config": {"pass_stripped_path": "expected a boolean"}}),
    );
    for plugin in ["grpc-web", "grpc-gateway"] {
        refuses(
            plugin,
            json!({"proto": 1}),
            json!({"config": {"proto": "expected a string"}}),
        );
    }
}

/// The model's record with these members of `auth` and `model` in the place of the defaults.
fn llm(auth: Value, model: Value) -> Value {
    json!({
        "route_type": "llm/v1/chat", "auth": auth, "model": model,
        "logging": {"log_statistics": false, "log_payloads": false},
    })
}

fn auth(changes: Value) -> Value {
    let auth = json!({
        "header_name": null, "header_value": null, "param_name": null, "param_value": null,
        "param_location": null, "gcp_use_service_account": false,
        "gcp_service_account_json": null, "aws_access_key_id": null,
        "aws_secret_access_key": null, "allow_override": false,
    });
    with(auth, changes)
}

fn options(changes: Value) -> Value {
    let options = json!({
        "max_tokens": null, "input_cost": null, "output_cost": null, "temperature": null,
        "top_p": null, "top_k": null, "anthropic_version": null, "azure_instance": null,
        "azure_api_version": "2023-05-15", "azure_deployment_id": null, "llama2_format": null,
        "mistral_format": null, "upstream_url": null, "upstream_path": null, "gemini": null,
        "bedrock": null, "huggingface": null,
    });
    with(options, changes)
}

fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().expect("an object") {
        object[name] = value.clone();
    }
    object
}

fn ai_proxy(llm: Value) -> Value {
    with(
        llm,
        json!({
            "response_streaming": "allow", "max_request_body_size": 8192,
            "model_name_header": true, "llm_format": "openai",
        }),
    )
}

#[test]
fn ai_proxy_takes_a_model() {
    accepts(
        "ai-proxy",
        json!({
            "route_type": "llm/v1/chat",
            "auth": {"header_name": "Authorization", "header_value": "Bearer x"},
            "model": {"provider": "openai", "name": "gpt-4",
                      "options": {"upstream_url": "http://127.0.0.1:9/up"}},
        }),
        ai_proxy(llm(
            auth(json!({"header_name": "Authorization", "header_value": "Bearer x"})),
            json!({"provider": "openai", "name": "gpt-4",
                   "options": options(json!({"upstream_url": "http://127.0.0.1:9/up"}))}),
        )),
    );
}

#[test]
fn what_is_optional_about_a_model_stays_null() {
    accepts(
        "ai-proxy",
        json!({"route_type": "llm/v1/chat", "model": {"provider": "openai"}}),
        ai_proxy(llm(
            Value::Null,
            json!({"provider": "openai", "name": null, "options": null}),
        )),
    );
}

#[test]
fn ai_proxy_refuses_what_the_provider_cannot_do() {
    let options_missing = |names: [&str; 3]| {
        let text = |name| format!("must set 'model.options.{name}' for azure provider");
        json!({"@entity": names.map(text)})
    };
    for (config, errors) in [
        (
            json!({}),
            json!({
                "route_type": "required field missing",
                "model": {"provider": "required field missing"},
            }),
        ),
        (
            json!({"route_type": "llm/v1/chat", "model": {"provider": "nope"}}),
            json!({"model": {"provider": "expected one of: openai, azure, anthropic, cohere, \
                mistral, llama2, gemini, bedrock, huggingface"}}),
        ),
        (
            json!({"route_type": "x", "model": {"provider": "openai"}}),
            json!({"route_type":
                "expected one of: llm/v1/chat, llm/v1/completions, preserve"}),
        ),
        (
            json!({"route_type": "llm/v1/chat", "auth": {"header_name": "a"},
                   "model": {"provider": "openai", "name": "x"}}),
            json!({"@entity": ["all or none of these fields must be set: 'auth.header_name', \
                'auth.header_value'"]}),
        ),
        (
            json!({"route_type": "llm/v1/chat", "model": {"provider": "azure", "name": "x"}}),
            options_missing(["azure_instance", "azure_api_version", "azure_deployment_id"]),
        ),
        (
            json!({"route_type": "llm/v1/chat", "model": {"provider": "llama2"}}),
            json!({"@entity": [
                "must set 'model.options.llama2_format' for llama2 provider",
                "must set 'model.options.upstream_url' for self-hosted providers/models",
            ]}),
        ),
        (
            json!({"route_type": "llm/v1/chat", "model": {"provider": "bedrock"},
                   "auth": {"allow_override": true}}),
            json!({
                "@entity": ["bedrock and gemini only support auth.allow_override = false"],
                "auth": {"allow_override": "value must be false"},
            }),
        ),
        (
            json!({"route_type": "llm/v1/chat", "model": {"provider": "gemini"}}),
            json!({
                "@entity": ["bedrock and gemini only support auth.allow_override = false"],
                "auth": {"allow_override": "value must be false"},
            }),
        ),
        (
            json!({"route_type": "llm/v1/completions", "logging": {"log_statistics": true},
                   "model": {"provider": "anthropic", "options": {"anthropic_version": "1"}}}),
            json!({"@entity": ["anthropic does not support statistics when route_type is \
                llm/v1/completions"]}),
        ),
        (
            json!({"route_type": "llm/v1/chat", "auth": {}, "model": {"provider": "gemini",
                   "options": {"gemini": {"project_id": "p"}, "top_k": 501}}}),
            json!({"model": {"options": {
                "gemini": {"@entity": ["all or none of these fields must be set: \
                    'api_endpoint', 'project_id', 'location_id'"]},
                "top_k": "value should be between 0 and 500",
            }}}),
        ),
        (
            json!({"route_type": "llm/v1/chat", "model": {"provider": "openai",
                   "options": {"gemini": {"project_id": 5}}}}),
            json!({"model": {"options": {"gemini": {"project_id": "expected a string"}}}}),
        ),
    ] {
        refuses("ai-proxy", config, json!({"config": errors}));
    }
}

#[test]
fn a_native_format_needs_its_provider_and_chat() {
    refuses(
        "ai-proxy",
        json!({"route_type": "preserve", "model": {"provider": "openai"},
               "llm_format": "bedrock"}),
        json!({
            "@entity": [
                "native provider options in llm_format can only be used with the \
                 'llm/v1/chat' route_type",
                "native llm_format 'bedrock' can only be used with the 'bedrock' model.provider",
            ],
            "config": {
                "route_type": "value must be llm/v1/chat",
                "model": {"provider": "value must be bedrock"},
            },
        }),
    );
}

#[test]
fn ai_prompt_decorator_takes_messages() {
    accepts(
        "ai-prompt-decorator",
        json!({"prompts": {"append": [{"content": "E"}]}}),
        json!({
            "prompts": {"prepend": null, "append": [{"role": "system", "content": "E"}]},
            "max_request_body_size": 8192, "llm_format": "openai",
        }),
    );
    refuses(
        "ai-prompt-decorator",
        json!({}),
        json!({"@entity": ["at least one of these fields must be non-empty: \
            'config.prompts.prepend', 'config.prompts.append'"]}),
    );
    let messages = |count| vec![json!({"content": "x"}); count];
    refuses(
        "ai-prompt-decorator",
        json!({"prompts": {"append": messages(16)}}),
        json!({"config": {"prompts": {"append": "length must be at most 15"}}}),
    );
    refuses(
        "ai-prompt-decorator",
        json!({"prompts": {"append": [{"role": "x", "content": "x".repeat(501)}]}}),
        json!({"config": {"prompts": {"append": [{
            "role": "expected one of: system, assistant, user",
            "content": "length must be at most 500",
        }]}}}),
    );
}

#[test]
fn ai_prompt_guard_takes_patterns() {
    accepts(
        "ai-prompt-guard",
        json!({"deny_patterns": [".*secret.*"]}),
        json!({
            "allow_patterns": null, "deny_patterns": [".*secret.*"],
            "allow_all_conversation_history": false, "max_request_body_size": 8192,
            "match_all_roles": false, "llm_format": "openai",
        }),
    );
    refuses(
        "ai-prompt-guard",
        json!({"max_request_body_size": 0}),
        json!({
            "config": {"max_request_body_size": "value must be greater than 0"},
            "@entity": ["at least one of these fields must be non-empty: \
                'config.allow_patterns', 'config.deny_patterns'"],
        }),
    );
    refuses(
        "ai-prompt-guard",
        json!({"allow_patterns": vec!["x"; 11]}),
        json!({"config": {"allow_patterns": "length must be at most 10"}}),
    );
    refuses(
        "ai-prompt-guard",
        json!({"allow_patterns": ["x"], "match_all_roles": true,
               "allow_all_conversation_history": true}),
        json!({
            "config": {"allow_all_conversation_history": "value must be false"},
            "@entity": ["failed conditional validation given value of field \
                'config.match_all_roles'"],
        }),
    );
}

#[test]
fn ai_prompt_template_takes_templates() {
    accepts(
        "ai-prompt-template",
        json!({"templates": [{"name": "dev", "template": "{{what}}"}]}),
        json!({
            "templates": [{"name": "dev", "template": "{{what}}"}],
            "allow_untemplated_requests": true, "log_original_request": false,
            "max_request_body_size": 8192,
        }),
    );
    refuses(
        "ai-prompt-template",
        json!({}),
        json!({"config": {"templates": "required field missing"}}),
    );
    refuses(
        "ai-prompt-template",
        json!({"templates": [{"name": "dev"}]}),
        json!({"config": {"templates": [{"template": "required field missing"}]}}),
    );
}

#[test]
fn ai_transformers_take_a_prompt_and_a_model() {
    let config = json!({
        "prompt": "p",
        "llm": {"route_type": "llm/v1/chat", "model": {"provider": "openai", "name": "m"}},
    });
    let expected = json!({
        "prompt": "p", "transformation_extract_pattern": null, "http_timeout": 60000,
        "https_verify": true, "max_request_body_size": 8192, "http_proxy_host": null,
        "http_proxy_port": null, "https_proxy_host": null, "https_proxy_port": null,
        "llm": llm(
            Value::Null,
            json!({"provider": "openai", "name": "m", "options": null}),
        ),
    });
    accepts("ai-request-transformer", config.clone(), expected.clone());
    let instructions = json!({"parse_llm_response_json_instructions": false});
    accepts(
        "ai-response-transformer",
        config,
        with(expected, instructions),
    );
}

#[test]
fn ai_transformers_only_chat() {
    for plugin in ["ai-request-transformer", "ai-response-transformer"] {
        refuses(
            plugin,
            json!({
                "prompt": "p", "http_proxy_host": "a.test",
                "llm": {"route_type": "preserve", "model": {"provider": "openai"}},
            }),
            json!({
                "config": {"llm": {"route_type": "value must be llm/v1/chat"}},
                "@entity": [
                    "'config.llm.route_type' must be 'llm/v1/chat' for AI transformer plugins",
                    "all or none of these fields must be set: 'config.http_proxy_host', \
                     'config.http_proxy_port'",
                ],
            }),
        );
        refuses(
            plugin,
            json!({
                "prompt": "p",
                "llm": {"route_type": "x", "model": {"provider": "openai"}},
            }),
            json!({"config": {"llm": {"route_type":
                "expected one of: llm/v1/chat, llm/v1/completions, preserve"}}}),
        );
    }
}
