use proc_macro2::Ident;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, LitInt, Path, Result};

use crate::args::{Arg, Value, each, set, skip_unknown};
use crate::time::Time;

/// The arguments as written.
#[derive(Default)]
pub(super) struct Args {
    pub(super) key: Option<Arg<Expr>>,
    pub(super) scope: Option<Arg<Expr>>,
    pub(super) store: Option<Arg<Expr>>,
    pub(super) tenant: Option<Arg<Expr>>,
    pub(super) fingerprint: Option<Arg<Expr>>,
    pub(super) version: Option<Arg<u8>>,
    pub(super) ttl: Option<Arg<Time>>,
    pub(super) wait: Option<Arg<Time>>,
    pub(super) lease: Option<Arg<Time>>,
    pub(super) takeover: Option<Arg<Expr>>,
    pub(super) krate: Option<Arg<Krate>>,
}

const KNOWN: &str = "`key`, `scope`, `store`, `tenant`, `fingerprint`, `version`, `ttl`, `wait`, `lease`, `takeover` \
                     and `crate`";

/// What other libraries call it, and its name here.
const SYNONYMS: &[(&str, &str)] = &[
    ("idempotency_key", "key"),
    ("name", "scope"),
    ("operation", "scope"),
    ("once", "store"),
    ("repository", "store"),
    ("user", "tenant"),
    ("request", "fingerprint"),
    ("body", "fingerprint"),
    ("expiry", "ttl"),
    ("expires", "ttl"),
    ("retention", "ttl"),
    ("timeout", "wait"),
    ("policy", "takeover"),
];

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        each(input, "key = request.key", |keyword| match keyword.to_string().as_str() {
            "key" => set(&mut args.key, keyword, input),
            "scope" => set(&mut args.scope, keyword, input),
            "store" => set(&mut args.store, keyword, input),
            "tenant" => set(&mut args.tenant, keyword, input),
            "fingerprint" => set(&mut args.fingerprint, keyword, input),
            "version" => set(&mut args.version, keyword, input),
            "ttl" => set(&mut args.ttl, keyword, input),
            "wait" => set(&mut args.wait, keyword, input),
            "lease" => set(&mut args.lease, keyword, input),
            "takeover" => set(&mut args.takeover, keyword, input),
            "crate" => set(&mut args.krate, keyword, input),
            _ => skip_unknown(&keyword, input, KNOWN, SYNONYMS),
        })?;
        Ok(args)
    }
}

/// The path of the crate `idempotency`.
pub(super) struct Krate(pub(super) Path);

impl Value for Krate {
    const EXAMPLE: &'static str = "::path::to::idempotency";
    fn read(keyword: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let message = format!("`{keyword}` takes the path of idempotency, such as `{}`", Self::EXAMPLE);
        input.call(Path::parse_mod_style).map(Self).map_err(|error| Error::new(error.span(), message))
    }
}

impl Value for u8 {
    const EXAMPLE: &'static str = "1";
    fn read(keyword: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let message = format!("`{keyword}` is a number from 0 to 255");
        let number = input.parse::<LitInt>().map_err(|error| Error::new(error.span(), &message))?;
        number.base10_parse().map_err(|_| Error::new(number.span(), message))
    }
}
