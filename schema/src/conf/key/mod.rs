//! The table of keys: one row each, in the order of Kong's default file, a file for each section.
//!
//! The table alone feeds reading, checks, the dump, the default file, the reference page and the
//! help. A row says what Kong says; [`Key::works`] says what of it is true here.

mod database;
mod debugging;
mod directive;
mod dns;
mod general;
mod hybrid;
mod miscellaneous;
mod nginx;
mod own;
mod pages;
mod tuning;
mod wasm;

use super::kind::Kind;

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Name in the file; upper case after `KONG_` in the environment.
    pub name: &'static str,
    /// What a value may be.
    pub kind: Kind,
    /// Text used when nobody sets the key; `None`: it stays unset.
    pub default: Option<&'static str>,
    /// One line for people.
    pub doc: &'static str,
    /// How much it matters to a gateway that is not nginx.
    pub mark: Mark,
    /// Whether it has its effect in this version; others are accepted and checked.
    pub works: bool,
    /// Whether a reload applies a change; others need a restart.
    pub reloadable: bool,
    /// The key that this one is another name of: when both are set, that one wins.
    pub alias_of: Option<&'static str>,
    /// What to do instead of setting it.
    pub deprecated: Option<&'static str>,
    /// Whether its value is never shown.
    pub masked: bool,
}

/// How much a key matters to a gateway that is not nginx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It must behave as Kong's.
    Core,
    /// It comes with its feature.
    Useful,
    /// It is about nginx or Lua: accepted, and never of effect.
    Ignored,
}

impl Mark {
    /// Its word in the reference page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Useful => "useful",
            Self::Ignored => "ignored",
        }
    }
}

impl Key {
    const fn new(name: &'static str, kind: Kind, mark: Mark, doc: &'static str) -> Self {
        Self {
            name,
            kind,
            default: None,
            doc,
            mark,
            works: false,
            reloadable: false,
            alias_of: None,
            deprecated: None,
            masked: false,
        }
    }

    const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    const fn works(mut self) -> Self {
        self.works = true;
        self
    }

    const fn reloadable(mut self) -> Self {
        self.reloadable = true;
        self
    }

    const fn alias_of(mut self, name: &'static str) -> Self {
        self.alias_of = Some(name);
        self
    }

    const fn deprecated(mut self, instead: &'static str) -> Self {
        self.deprecated = Some(instead);
        self
    }

    const fn masked(mut self) -> Self {
        self.masked = true;
        self
    }

    /// Whether the key injects an nginx directive: nginx's own default holds when it is erased.
    pub(super) fn is_directive(&self) -> bool {
        family(self.name).is_some_and(Family::is_directive)
    }
}

const fn core(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key::new(name, kind, Mark::Core, doc)
}

const fn useful(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key::new(name, kind, Mark::Useful, doc)
}

const fn ignored(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key::new(name, kind, Mark::Ignored, doc)
}

/// Keys that belong together.
#[derive(Debug)]
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// Its rows.
    pub keys: &'static [Key],
}

/// The whole table.
pub static SECTIONS: &[Section] = &[
    Section {
        title: "General",
        keys: general::KEYS,
    },
    Section {
        title: "Hybrid mode",
        keys: hybrid::KEYS,
    },
    Section {
        title: "Listeners, workers, TLS, headers",
        keys: nginx::KEYS,
    },
    Section {
        title: "Directives with a default",
        keys: directive::KEYS,
    },
    Section {
        title: "Database",
        keys: database::KEYS,
    },
    Section {
        title: "DNS",
        keys: dns::KEYS,
    },
    Section {
        title: "Tuning",
        keys: tuning::KEYS,
    },
    Section {
        title: "Miscellaneous",
        keys: miscellaneous::KEYS,
    },
    Section {
        title: "Kong Manager",
        keys: pages::KEYS,
    },
    Section {
        title: "WebAssembly",
        keys: wasm::KEYS,
    },
    Section {
        title: "Request debugging",
        keys: debugging::KEYS,
    },
    Section {
        title: "Silverback's own",
        keys: own::KEYS,
    },
];

/// Every row.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    SECTIONS.iter().flat_map(|section| section.keys)
}

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name)
}

/// A prefix under which Kong takes any name.
#[derive(Debug)]
pub struct Family {
    /// What the names begin with.
    pub prefix: &'static str,
    /// One line for people.
    pub doc: &'static str,
}

impl Family {
    /// Whether its names are directives of nginx.
    pub(super) fn is_directive(&self) -> bool {
        self.prefix.starts_with("nginx_")
    }
}

/// Every family. None of them has an effect by itself; a name with a row may.
#[rustfmt::skip]
pub static FAMILIES: &[Family] = &[
    Family { prefix: "nginx_main_", doc: "Directive of nginx's main block." },
    Family { prefix: "nginx_events_", doc: "Directive of nginx's events block." },
    Family { prefix: "nginx_http_", doc: "Directive of nginx's http block." },
    Family { prefix: "nginx_proxy_", doc: "Directive of the proxy's server block." },
    Family { prefix: "nginx_location_", doc: "Directive of the proxy's location block." },
    Family { prefix: "nginx_upstream_", doc: "Directive of the proxy's upstream block." },
    Family { prefix: "nginx_admin_", doc: "Directive of the Admin API's server block." },
    Family { prefix: "nginx_status_", doc: "Directive of the Status API's server block." },
    Family { prefix: "nginx_stream_", doc: "Directive of nginx's stream block." },
    Family { prefix: "nginx_sproxy_", doc: "Directive of the stream proxy's server blocks." },
    Family { prefix: "nginx_supstream_", doc: "Directive of the stream proxy's upstream block." },
    Family { prefix: "nginx_wasm_", doc: "Directive of nginx's wasm block." },
    Family { prefix: "nginx_debug_", doc: "Kong's documentation names it; Kong ignores it." },
    Family { prefix: "pluginserver_", doc: "Socket and commands of one external plugin server." },
    Family { prefix: "vault_", doc: "A setting of one vault strategy." },
];

/// The family of a name.
pub(super) fn family(name: &str) -> Option<&'static Family> {
    FAMILIES
        .iter()
        .find(|family| name.len() > family.prefix.len() && name.starts_with(family.prefix))
}
