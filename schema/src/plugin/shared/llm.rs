//! The record of a language model that the AI plugins call (`kong/llm/schemas/init.lua`), and
//! fields that several of them have.
//!
//! Quirk kept: `bedrock` and `gemini` refuse a configuration without `auth`, since its
//! `allow_override` is then not `false`.

use super::{BOOLEAN, HOST, INTEGER, PORT, STRING, URL, switch};
use crate::field::{
    Check, Conditional, ConditionalAtLeastOneOf, Default, EntityCheck, Errors, Field, Fields, Kind,
    Match, Record, Type, push_entity_error,
};

/// `llm`: how the model is called.
pub(crate) const LLM: Field =
    Field::record("llm", &RECORD).description("The language model that is asked.");

static RECORD: Record = Record::new(&[ROUTE_TYPE, AUTH, MODEL, LOGGING]).checks(CHECKS);

/// `max_request_body_size`
pub(crate) const MAX_REQUEST_BODY_SIZE: Field = Field::new(
    "max_request_body_size",
    Type::with(Kind::Integer, &[Check::Gt(0.0)]),
)
.default(Default::Integer(8192))
.description("Most bytes of a body that is read back from disk.");

/// `llm_format`
pub(crate) const LLM_FORMAT: Field = Field::new(
    "llm_format",
    Type::with(
        Kind::String,
        &[Check::OneOf(&["openai", "bedrock", "gemini"])],
    ),
)
.default(Default::String("openai"))
.description("Format of the client's requests and responses.");

/// `route_type`
pub(crate) const ROUTE_TYPE: Field = Field::new(
    "route_type",
    Type::with(
        Kind::String,
        &[Check::OneOf(&[
            "llm/v1/chat",
            "llm/v1/completions",
            "preserve",
        ])],
    ),
)
.required()
.description("Kind of call; `preserve` changes nothing of it.");

/// `auth`: null unless given.
pub(crate) const AUTH: Field = Field::new("auth", Type::new(Kind::Record(&AUTH_RECORD)))
    .description("How the gateway proves itself to the provider.");

static AUTH_RECORD: Record = Record::new(&[
    Field::new("header_name", STRING)
        .referenceable()
        .description("Header that holds the key."),
    Field::new("header_value", STRING)
        .encrypted()
        .referenceable()
        .description("Value of that header."),
    Field::new("param_name", STRING)
        .referenceable()
        .description("Parameter that holds the key."),
    Field::new("param_value", STRING)
        .encrypted()
        .referenceable()
        .description("Value of that parameter."),
    Field::new(
        "param_location",
        Type::with(Kind::String, &[Check::OneOf(&["query", "body"])]),
    )
    .description("Where the parameter goes."),
    Field::new("gcp_use_service_account", BOOLEAN)
        .default(Default::Boolean(false))
        .description("Whether Google Cloud is asked for a token of a service account."),
    Field::new("gcp_service_account_json", STRING)
        .referenceable()
        .description("That account as JSON; without it GCP_SERVICE_ACCOUNT."),
    Field::new("aws_access_key_id", STRING)
        .encrypted()
        .referenceable()
        .description("AWS access key id; without it AWS's usual sources are asked."),
    Field::new("aws_secret_access_key", STRING)
        .encrypted()
        .referenceable()
        .description("AWS secret access key."),
    Field::new("allow_override", BOOLEAN)
        .default(Default::Boolean(false))
        .description("Whether a key of the client's own is kept."),
]);

/// `model`
pub(crate) const MODEL: Field =
    Field::record("model", &MODEL_RECORD).description("The model and its provider.");

static MODEL_RECORD: Record = Record::new(&[
    Field::new(
        "provider",
        Type::with(
            Kind::String,
            &[Check::OneOf(&[
                "openai",
                "azure",
                "anthropic",
                "cohere",
                "mistral",
                "llama2",
                "gemini",
                "bedrock",
                "huggingface",
            ])],
        ),
    )
    .required()
    .description("Who runs the model, and so the format of its API."),
    Field::new("name", STRING).description("Name of the model; without it the client's."),
    Field::new("options", Type::new(Kind::Record(&OPTIONS)))
        .description("Settings of the model, before those of the client."),
]);

const COST: Type = Type::with(Kind::Number, &[Check::Gt(0.0)]);

static OPTIONS: Record = Record::new(&[
    Field::new("max_tokens", INTEGER).description("Most tokens of an answer."),
    Field::new("input_cost", COST).description("Price of a million tokens of questions."),
    Field::new("output_cost", COST).description("Price of a million tokens of answers."),
    Field::new(
        "temperature",
        Type::with(Kind::Number, &[Check::Between(0, 5)]),
    )
    .description("How freely the model answers."),
    Field::new("top_p", Type::with(Kind::Number, &[Check::Between(0, 1)]))
        .description("Probability mass of the tokens that are considered."),
    Field::new(
        "top_k",
        Type::with(Kind::Integer, &[Check::Between(0, 500)]),
    )
    .description("Number of the tokens that are considered."),
    Field::new("anthropic_version", STRING).description("Version of Anthropic's API."),
    Field::new("azure_instance", STRING).description("Instance name of Azure OpenAI."),
    Field::new("azure_api_version", STRING)
        .default(Default::String("2023-05-15"))
        .description("Version of Azure's API."),
    Field::new("azure_deployment_id", STRING).description("Deployment of Azure OpenAI."),
    Field::new(
        "llama2_format",
        Type::with(Kind::String, &[Check::OneOf(&["raw", "openai", "ollama"])]),
    )
    .description("Format that the Llama server speaks."),
    Field::new(
        "mistral_format",
        Type::with(Kind::String, &[Check::OneOf(&["openai", "ollama"])]),
    )
    .description("Format that the Mistral server speaks."),
    Field::new("upstream_url", URL).description("Whole URL instead of the provider's own."),
    Field::new("upstream_path", STRING).description("Path instead of the provider's own."),
    Field::new("gemini", Type::new(Kind::Record(&GEMINI)))
        .description("Settings of Gemini on Vertex."),
    Field::new("bedrock", Type::new(Kind::Record(&BEDROCK))).description("Settings of Bedrock."),
    Field::new("huggingface", Type::new(Kind::Record(&HUGGINGFACE)))
        .description("Settings of Hugging Face."),
]);

static GEMINI: Record = Record::new(&[
    Field::new("api_endpoint", STRING).description("Host of the regional API."),
    Field::new("project_id", STRING).description("Google Cloud project."),
    Field::new("location_id", STRING).description("Google Cloud location."),
])
.checks(&[EntityCheck::MutuallyRequired(&[
    "api_endpoint",
    "project_id",
    "location_id",
])]);

static BEDROCK: Record = Record::new(&[
    Field::new("aws_region", STRING).description("Region of the model; without it AWS_REGION.")
]);

static HUGGINGFACE: Record = Record::new(&[
    Field::new("use_cache", BOOLEAN).description("Whether answers may come from its cache."),
    Field::new("wait_for_model", BOOLEAN)
        .description("Whether to wait for a model that is not loaded."),
]);

/// `logging`
pub(crate) const LOGGING: Field =
    Field::record("logging", &LOGGING_RECORD).description("What is logged of a call.");

static LOGGING_RECORD: Record = Record::new(&[
    switch("log_statistics", false).description("Whether tokens and times are logged."),
    switch("log_payloads", false).description("Whether questions and answers are logged."),
]);

/// What the fields of the model ask of each other.
pub(crate) const CHECKS: &[EntityCheck] = &[
    EntityCheck::Conditional(Conditional {
        then_err: Some("bedrock and gemini only support auth.allow_override = false"),
        ..Conditional::new(
            "model.provider",
            Match::OneOf(&["bedrock", "gemini"]),
            "auth.allow_override",
            Match::Is(false),
        )
    }),
    EntityCheck::MutuallyRequired(&["auth.header_name", "auth.header_value"]),
    EntityCheck::MutuallyRequired(&["auth.param_name", "auth.param_value", "auth.param_location"]),
    needs(
        &["llama2"],
        &["model.options.llama2_format"],
        "must set %s for llama2 provider",
    ),
    needs(
        &["mistral"],
        &["model.options.mistral_format"],
        "must set %s for mistral provider",
    ),
    needs(
        &["anthropic"],
        &["model.options.anthropic_version"],
        "must set %s for anthropic provider",
    ),
    needs(
        &["azure"],
        &["model.options.azure_instance"],
        "must set %s for azure provider",
    ),
    needs(
        &["azure"],
        &["model.options.azure_api_version"],
        "must set %s for azure provider",
    ),
    needs(
        &["azure"],
        &["model.options.azure_deployment_id"],
        "must set %s for azure provider",
    ),
    needs(
        &["llama2"],
        &["model.options.upstream_url"],
        "must set %s for self-hosted providers/models",
    ),
    EntityCheck::Custom {
        sources: &["route_type", "model", "logging"],
        run: has_statistics,
    },
];

const fn needs(
    provider: &'static [&'static str],
    fields: &'static [&'static str],
    err: &'static str,
) -> EntityCheck {
    EntityCheck::ConditionalAtLeastOneOf(ConditionalAtLeastOneOf {
        if_field: "model.provider",
        if_match: Match::OneOf(provider),
        then_fields: fields,
        then_err: Some(err),
        otherwise: None,
    })
}

/// Anthropic's completions do not say how many tokens they took.
fn has_statistics(fields: &Fields<'_>, errors: &mut Errors) {
    if fields.value("logging.log_statistics") == true
        && fields.value("route_type") == "llm/v1/completions"
        && fields.value("model.provider") == "anthropic"
    {
        let text = "anthropic does not support statistics when route_type is llm/v1/completions";
        push_entity_error(errors, text);
    }
}

/// Fields of the two transformers: proxies to the model.
pub(crate) const HTTP_PROXY_HOST: Field =
    Field::new("http_proxy_host", HOST).description("Proxy for calls without TLS.");
/// See [`HTTP_PROXY_HOST`].
pub(crate) const HTTP_PROXY_PORT: Field =
    Field::new("http_proxy_port", PORT).description("Port of that proxy.");
/// See [`HTTP_PROXY_HOST`].
pub(crate) const HTTPS_PROXY_HOST: Field =
    Field::new("https_proxy_host", HOST).description("Proxy for calls with TLS.");
/// See [`HTTP_PROXY_HOST`].
pub(crate) const HTTPS_PROXY_PORT: Field =
    Field::new("https_proxy_port", PORT).description("Port of that proxy.");

/// What the two transformers ask of their fields.
pub(crate) const TRANSFORMER_CHECKS: &[EntityCheck] = &[
    EntityCheck::Conditional(Conditional {
        then_err: Some("'config.llm.route_type' must be 'llm/v1/chat' for AI transformer plugins"),
        ..Conditional::new(
            "config.llm.route_type",
            Match::NotOneOf(&["llm/v1/chat"]),
            "config.llm.route_type",
            Match::Equals("llm/v1/chat"),
        )
    }),
    EntityCheck::MutuallyRequired(&["config.http_proxy_host", "config.http_proxy_port"]),
    EntityCheck::MutuallyRequired(&["config.https_proxy_host", "config.https_proxy_port"]),
];
