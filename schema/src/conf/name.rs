//! Names that are not in the table: misspelt, of older Kongs, of Kong's Enterprise edition, or no
//! keys at all.

use super::key;

/// Longest name that is compared: the work grows with the product of the lengths.
const COMPARED_BYTES_MAX: usize = 64;
/// Most names of one configuration that are compared.
pub(super) const COMPARED_NAMES_MAX: usize = 100;

/// Variables that Kong reads for other purposes, lower case without prefix.
const VARIABLES_NOT_KEYS: &[&str] = &[
    "vault_rotation_interval",
    "lua_path_override",
    "nginx_conf_check",
    "process_secrets_http",
    "process_secrets_stream",
    "datadog_agent_host",
    "datadog_agent_port",
    "password",
];

/// Names that older Kongs had and 3.9 ignores, with what came after them.
const FORMER: &[(&str, &str)] = &[
    ("privileged_agent", "dedicated_config_processing"),
    ("privileged_worker", "dedicated_config_processing"),
    ("router_consistency", "worker_consistency"),
];

/// What names of Kong's Enterprise edition begin with.
const ENTERPRISE: &[&str] = &[
    "admin_api_uri",
    "admin_approved_email",
    "admin_auto_create",
    "admin_emails",
    "admin_gui_auth",
    "admin_gui_csp",
    "admin_gui_flags",
    "admin_gui_footer",
    "admin_gui_header",
    "admin_gui_hide",
    "admin_gui_login",
    "admin_gui_session",
    "admin_invitation",
    "ai_",
    "analytics_",
    "audit_log",
    "cluster_allowed_common_names",
    "cluster_fallback_config",
    "cluster_telemetry",
    "debug_access_log",
    "debug_error_log",
    "debug_listen",
    "debug_path",
    "enforce_rbac",
    "event_hooks",
    "feature_conf_path",
    "fips",
    "keyring_",
    "konnect_mode",
    "license",
    "login_",
    "pg_iam_auth",
    "pg_ro_iam_auth",
    "portal",
    "rbac",
    "redis_",
    "smtp_",
    "telemetry_",
    "vitals",
];

/// What a name is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// It has a row, or belongs to a family.
    Known,
    /// Kong's Enterprise edition has it.
    Enterprise,
    /// This one came after it.
    Former(&'static str),
    /// Nobody knows it.
    Unknown,
}

impl Name {
    pub(super) fn of(name: &str) -> Self {
        if key::find(name).is_some() || key::family(name).is_some() {
            return Self::Known;
        }
        if let Some((_, later)) = FORMER.iter().find(|(former, _)| *former == name) {
            return Self::Former(later);
        }
        if ENTERPRISE
            .iter()
            .any(|beginning| name.starts_with(beginning))
        {
            return Self::Enterprise;
        }
        Self::Unknown
    }
}

/// Whether a variable is no key although it carries the prefix: those that Kong reads for other
/// purposes, and those that Kubernetes sets for a service named `kong` or `kong-…`.
pub(super) fn is_foreign_variable(key: &str) -> bool {
    if VARIABLES_NOT_KEYS.contains(&key) || key.starts_with("emmy_debugger") {
        return true;
    }
    let is_of_a_service = ["service_", "port_"]
        .iter()
        .any(|start| key.starts_with(start))
        || ["_service_host", "_service_port", "_tcp_"]
            .iter()
            .any(|part| key.contains(part))
        || ["_file", "_port", "_tcp"]
            .iter()
            .any(|end| key.ends_with(end))
        || key == "port";
    is_of_a_service && Name::of(key) != Name::Known
}

/// The known key with the fewest edits from `name`, if it is near enough to be a slip of the hand.
/// It takes a comparison with every key: call it for [`COMPARED_NAMES_MAX`] names at most.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    key::keys()
        .map(|key| (distance(name.as_bytes(), key.name.as_bytes()), key.name))
        .filter(|(edits, key)| *edits <= key.len() / 3 + 1)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, key)| key)
}

/// Levenshtein distance.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}
