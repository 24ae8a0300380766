use std::fmt;

use thiserror::Error;

/// Longest operation or tenant name, in bytes.
const MAX_LENGTH: usize = 255;

/// The space that a key lives in: one operation of one tenant.
///
/// The same key under another operation or another tenant is another key, so nobody is answered with
/// somebody else's response.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    operation: Box<str>,
    tenant: Box<str>,
}

impl Scope {
    /// Checks the two names and keeps them. An empty tenant means "no tenant".
    ///
    /// # Errors
    ///
    /// [`InvalidScope`] says which name is wrong.
    pub fn new(operation: &str, tenant: &str) -> Result<Self, InvalidScope> {
        if operation.is_empty() {
            return Err(InvalidScope::NoOperation);
        }
        if operation.len() > MAX_LENGTH || operation.contains('\0') {
            return Err(InvalidScope::Operation);
        }
        if tenant.len() > MAX_LENGTH || tenant.contains('\0') {
            return Err(InvalidScope::Tenant);
        }
        Ok(Self { operation: operation.into(), tenant: tenant.into() })
    }

    /// Returns the name of the operation.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns the name of the tenant, empty where there is none.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }
}

/// Prints of the tenant the length alone: it says who a customer is.
impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({:?}, tenant of {} bytes)", self.operation, self.tenant.len())
    }
}

/// What is wrong with the name of an operation or of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidScope {
    /// The operation has no name.
    #[error("the operation has no name")]
    NoOperation,
    /// The operation's name is longer than 255 bytes or holds a NUL.
    #[error("the operation's name is longer than 255 bytes or holds a NUL")]
    Operation,
    /// The tenant's name is longer than 255 bytes or holds a NUL.
    #[error("the tenant's name is longer than 255 bytes or holds a NUL")]
    Tenant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_names_that_do_not_fit_the_table() {
        let long = "n".repeat(256);
        assert_eq!(Scope::new("", "t"), Err(InvalidScope::NoOperation));
        assert_eq!(Scope::new(&long, "t"), Err(InvalidScope::Operation));
        assert_eq!(Scope::new("charge", &long), Err(InvalidScope::Tenant));
        assert!(Scope::new("charge", "").is_ok());
    }
}
