//! Format names of access logs: nginx's own, Kong's, JSON, or one that a directive declares.

use super::super::draft::Draft;

/// The formats of HTTP access logs that need no declaration: nginx's, Kong's, and one of ours.
pub const HTTP_FORMATS: &[&str] = &["combined", "kong_log_format", "json"];

/// Keys with an access log, the formats that need no declaration, and the directive that declares.
const LOGS: [(&[&str], &[&str], &str); 2] = [
    (
        &[
            "proxy_access_log",
            "admin_access_log",
            "status_access_log",
            "admin_gui_access_log",
        ],
        HTTP_FORMATS,
        "nginx_http_log_format",
    ),
    (
        &["proxy_stream_access_log"],
        &["basic"],
        "nginx_stream_log_format",
    ),
];

pub(super) fn check(draft: &mut Draft) {
    for (names, known, directive) in LOGS {
        let declared = draft
            .text(directive)
            .and_then(|text| text.split_whitespace().next());
        let declared = declared.map(str::to_owned);
        for name in names {
            let format = draft
                .text(name)
                .and_then(|text| text.split_whitespace().nth(1));
            let Some(format) = format.map(str::to_owned) else {
                continue;
            };
            if !known.contains(&format.as_str()) && Some(&format) != declared.as_ref() {
                draft.refuse(
                    name,
                    format!(
                        "no format {format:?} is declared; accepted are {}, and one that {directive} declares",
                        known.join(", ")
                    ),
                );
            }
        }
    }
}
