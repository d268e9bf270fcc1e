//! References to secrets, `{vault://…}`, and the strategies that resolve them.
//!
//! | module | owns |
//! |---|---|
//! | [`Reference`] | the grammar |
//! | [`Vaults`] | which strategies a node may use |
//! | `env` | the one strategy that Kong's open edition brings: environment variables |
//!
//! Nothing here reads the process environment: variables are looked up by a function passed in.
//!
//! Source: `kong/pdk/vault.lua`, `kong/vaults/env/init.lua` of Kong 3.9.3.

pub mod env;
mod reference;

#[cfg(test)]
mod tests;

pub use reference::{Reference, ReferenceError, is_reference};

/// The strategies of a node.
#[derive(Clone, Copy)]
pub struct Vaults<'a> {
    /// Names of those that may be used.
    pub enabled: &'a [String],
    /// The one there is.
    pub env: env::Env<'a>,
}

impl Vaults<'_> {
    /// The secret behind a reference that names a strategy.
    ///
    /// # Errors
    /// The reference does not fit the grammar, names another vault, or has no secret.
    pub fn resolve(&self, reference: &str) -> Result<String, ResolveError> {
        let reference = Reference::parse(reference)?;
        if reference.vault != env::NAME || !self.enabled.contains(&reference.vault) {
            return Err(ResolveError::UnknownVault(reference.vault));
        }
        self.env.resolve(&reference)
    }
}

/// Why a reference gives no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// It does not follow the grammar.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// No strategy and no Vault entity has that name.
    #[error(
        "there is no vault {0:?}; enable the strategy with the key vaults, or name an existing one"
    )]
    UnknownVault(String),
    /// The variable is not set.
    #[error("value not found: the environment variable {variable} is not set")]
    NotFound {
        /// The variable.
        variable: String,
    },
    /// A key is asked for, and the secret is not a JSON object.
    #[error("the value of {variable} is not a JSON object, so it has no member {key:?}")]
    NotJson {
        /// The variable.
        variable: String,
        /// The member asked for.
        key: String,
    },
    /// The secret has no such member.
    #[error("the JSON object in {variable} has no member {key:?}")]
    NoMember {
        /// The variable.
        variable: String,
        /// The member asked for.
        key: String,
    },
    /// The member is not a string.
    #[error("the member {key:?} of the JSON object in {variable} is not a string")]
    NotText {
        /// The variable.
        variable: String,
        /// The member asked for.
        key: String,
    },
}
