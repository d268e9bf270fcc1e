//! The grammar of listener lists.

use super::*;

fn accepts(key: &str, text: &str) -> Vec<Listener> {
    let config = config(&[(key, text)]);
    match key {
        "stream_listen" => config.stream_listen,
        "admin_listen" => config.admin_listen,
        _ => config.proxy_listen,
    }
}

/// conf-cli-ops 10.65
/// conf-cli-ops 10.66
#[test]
fn off_first_disables_a_list() {
    assert!(accepts("proxy_listen", "off").is_empty());
    assert!(accepts("proxy_listen", "off, 0.0.0.0:9000").is_empty());
    assert!(accepts("admin_listen", "off").is_empty());
    assert_refused(&[("proxy_listen", "1.2.3.4:80, off")], &["\"off\""]);
    assert_refused(&[("proxy_listen", "OFF")], &["\"OFF\""]);
}

/// conf-cli-ops 10.69
#[test]
fn addresses_follow_kongs_grammar() {
    let address = |text| accepts("proxy_listen", text)[0].address.to_string();
    let accepted = [
        ("ssl 127.0.0.1:80", "127.0.0.1:80"),
        ("*:80", "0.0.0.0:80"),
        ("localhost:0", "127.0.0.1:0"),
        ("001.002.003.004:80", "1.2.3.4:80"),
        ("[::1]:8000", "[::1]:8000"),
        ("[0:0:0:0:0:0:0:1]:80", "[::1]:80"),
    ];
    for (text, expected) in accepted {
        assert_eq!(address(text), expected);
    }
}

/// conf-cli-ops 10.67
/// conf-cli-ops 10.69
#[test]
fn what_does_not_fit_is_refused_with_all_flags() {
    let refused = [
        "127.0.0.1",
        "8000",
        "unix:/x",
        "0.0.0.0:8000 frob",
        "1.2.3.4:80 backlog=abc",
        "1.2.3.4:80 backlog=",
        "1.2.3.4:80 ssl ssl",
        "1.2.3.4:99999",
        "::1:80",
        "1.2.3.4:80,",
        "1.2.3.4:80 1.2.3.4:81",
        "1.2.3.256:80",
        "1.2.3.4:80 so_keepalive=1:2",
        "ssl",
        "1.2.3.4:80 ipv6only=maybe",
    ];
    for text in refused {
        let flags = [
            "ssl",
            "http2",
            "proxy_protocol",
            "deferred",
            "bind",
            "reuseport",
            "backlog=",
            "ipv6only=on|off",
            "so_keepalive=",
        ];
        assert_refused(&[("proxy_listen", text)], &flags);
    }
}

/// conf-cli-ops 10.68
#[test]
fn each_family_has_flags_of_its_own() {
    assert_refused(
        &[("stream_listen", "0.0.0.0:9000 http2")],
        &["http2 is no flag", "udp"],
    );
    assert_refused(
        &[("stream_listen", "0.0.0.0:9000 deferred")],
        &["deferred is no flag"],
    );
    for key in [
        "proxy_listen",
        "admin_listen",
        "status_listen",
        "admin_gui_listen",
    ] {
        assert_refused(&[(key, "0.0.0.0:8000 udp")], &[key, "udp is no flag"]);
    }
    let stream = accepts(
        "stream_listen",
        "0.0.0.0:9000 udp reuseport, [::]:9001 ssl proxy_protocol",
    );
    assert!(stream[0].udp && stream[0].reuseport && stream[1].ssl && stream[1].proxy_protocol);
}

#[test]
fn every_flag_is_read() {
    let text = "[::1]:80 ssl http2 proxy_protocol deferred bind reuseport backlog=7 ipv6only=on \
        so_keepalive=30::5";
    let listener = &accepts("proxy_listen", text)[0];
    assert!(listener.ssl && listener.proxy_protocol && listener.deferred && listener.bind);
    assert!(listener.reuseport && !listener.udp);
    assert_eq!(listener.backlog, 7);
    assert_eq!(listener.ipv6only, Some(true));
    let probes = KeepAlive::Probes {
        idle: Some(30),
        interval: None,
        count: Some(5),
    };
    assert_eq!(listener.so_keepalive, Some(probes));
}

/// Here it is refused, since names are not looked up; but `ssl` in a name is no flag.
/// conf-cli-ops 10.70
#[test]
fn a_name_that_holds_a_flag_is_taken_for_a_name() {
    let parts = ["\"ssl.example.test\"", "names are not looked up"];
    assert_refused(&[("proxy_listen", "ssl.example.test:8000")], &parts);
}

/// conf-cli-ops 10.71
#[test]
fn http2_holds_for_the_whole_list() {
    let listeners = accepts("proxy_listen", "127.0.0.1:1, 127.0.0.1:2 http2 ssl");
    assert!(listeners.iter().all(|listener| listener.http2));
    assert!(!listeners[0].ssl);
}

#[test]
fn a_list_has_no_more_than_256_listeners() {
    let list = |length| vec!["127.0.0.1:1"; length].join(",");
    assert_eq!(accepts("proxy_listen", &list(256)).len(), 256);
    assert_refused(
        &[("proxy_listen", &list(257))],
        &["more than 256 listeners"],
    );
}
