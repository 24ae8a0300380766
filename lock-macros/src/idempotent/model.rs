use proc_macro2::Span;
use syn::{Error, Expr, ExprLit, Lit, Path, Result};

use super::args::Args;
use crate::args::{Arg, bare};
use crate::key::Key;
use crate::lock::value;
use crate::template::Template;
use crate::time::Time;

/// What the arguments mean.
pub(super) struct Once {
    pub(super) key: Key,
    pub(super) scope: Expr,
    pub(super) store: Expr,
    pub(super) tenant: Option<Expr>,
    /// None: all arguments.
    pub(super) fingerprint: Option<Expr>,
    pub(super) version: Option<u8>,
    pub(super) ttl: Option<Time>,
    pub(super) wait: Option<Time>,
    pub(super) lease: Option<Time>,
    pub(super) takeover: Option<Expr>,
    pub(super) krate: Option<Path>,
}

/// The most bytes that a key and a scope have.
const MAX_LEN: usize = 255;

impl Once {
    pub(super) fn from_args(args: Args) -> Result<Self> {
        let key =
            needed(args.key, "`key` is missing; it is what the client sends, such as `key = request.key`")?;
        let scope = needed(
            args.scope,
            "`scope` is missing; it names the operation in the table, such as `scope = \"payment\"`",
        )?;
        let store = needed(
            args.store,
            "`store` is missing; it is the `Idempotency` that keeps the keys, such as `store = self.once`",
        )?;
        Ok(Self {
            key: key_of(key.value)?,
            scope: scope_of(scope.value)?,
            store: store.value,
            tenant: value(args.tenant),
            fingerprint: value(args.fingerprint),
            version: value(args.version),
            ttl: value(args.ttl),
            wait: value(args.wait),
            lease: value(args.lease),
            takeover: value(args.takeover),
            krate: value(args.krate).map(|krate| krate.0),
        })
    }

    pub(super) fn template(&self) -> Option<&Template> {
        match &self.key {
            Key::Template(template) => Some(template),
            Key::Computed(_) => None,
        }
    }
}

fn needed<T>(arg: Option<Arg<T>>, missing: &str) -> Result<Arg<T>> {
    arg.ok_or_else(|| Error::new(Span::call_site(), missing))
}

fn key_of(value: Expr) -> Result<Key> {
    let refuse = |literal: &Expr, message: &str| Err(Error::new_spanned(literal, message));
    match bare(value) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), attrs }) => {
            let written = text.value();
            let literal = Expr::Lit(ExprLit { lit: Lit::Str(text.clone()), attrs });
            let template = match () {
                () if written.is_empty() => return refuse(&literal, "the key is empty"),
                () if !written.contains('{') => {
                    return refuse(
                        &literal,
                        "this key is always the same, so the work would run once and never again; name what tells \
                         requests apart, such as `key = request.key` or `key = \"{order_id}\"`",
                    );
                }
                () => Template::parse(text)?,
            };
            // What stands in braces is known at run time only.
            let fixed = template.format.replace("{}", "");
            if fixed.chars().any(|c| !c.is_ascii_graphic()) || fixed.len() > MAX_LEN {
                return refuse(&literal, "a key has 1 to 255 visible ASCII characters, and no space");
            }
            Ok(Key::Template(template))
        }
        literal @ Expr::Lit(_) => {
            refuse(&literal, "a key is a text, such as `request.key` or `\"{order_id}\"`")
        }
        other => Ok(Key::Computed(other)),
    }
}

fn scope_of(value: Expr) -> Result<Expr> {
    let value = bare(value);
    if let Expr::Lit(ExprLit { lit, .. }) = &value {
        let Lit::Str(text) = lit else {
            return Err(Error::new_spanned(value, "a scope is a text, such as `\"payment\"`"));
        };
        let written = text.value();
        let message = match () {
            () if written.is_empty() => "the scope is empty; it names the operation, such as `\"payment\"`",
            () if written.contains('{') => {
                "a scope is the same for all calls; keep users apart by `tenant = …`, and requests by `key = …`"
            }
            () if written.len() > MAX_LEN || written.contains('\0') => {
                "a scope has at most 255 bytes and no NUL"
            }
            () => return Ok(value),
        };
        return Err(Error::new_spanned(value, message));
    }
    Ok(value)
}
