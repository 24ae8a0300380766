use proc_macro2::{Ident, Span};
use syn::{Error, Expr, LitBool, Path, Result};

use crate::args::{Arg, Args};
use crate::key::Keys;
use crate::time::Time;

/// What the arguments mean.
pub(crate) struct Lock {
    pub(crate) keys: Keys,
    pub(crate) wait: Option<Time>,
    pub(crate) lease: Option<Time>,
    pub(crate) retain: Option<Time>,
    pub(crate) renew: Option<LitBool>,
    pub(crate) reentrant: Option<LitBool>,
    pub(crate) manager: Option<Expr>,
    pub(crate) guard: Option<Ident>,
    pub(crate) krate: Option<Path>,
}

impl Lock {
    pub(crate) fn from_args(args: Args) -> Result<Self> {
        let keys = match (args.key, args.keys) {
            (Some(key), None) => Keys::one(key)?,
            (None, Some(keys)) => Keys::several(keys)?,
            (Some(_), Some(Arg { keyword, .. })) => {
                let message = "`key` and `keys` cannot stand together; write every key in `keys = [ … ]`";
                return Err(Error::new(keyword.span(), message));
            }
            (None, None) => {
                let message =
                    "`key` is missing; it names what is locked, such as `key = \"balance:user:{user_id}\"`";
                return Err(Error::new(Span::call_site(), message));
            }
        };
        Ok(Self {
            keys,
            wait: value(args.wait),
            lease: value(args.lease),
            retain: value(args.retain),
            renew: value(args.renew),
            reentrant: value(args.reentrant),
            manager: value(args.manager),
            guard: value(args.guard),
            krate: value(args.krate),
        })
    }
}

pub(crate) fn value<T>(arg: Option<Arg<T>>) -> Option<T> {
    arg.map(|arg| arg.value)
}
