use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Lit, LitBool, Path, Result, Token};

use crate::errors::Errors;
use crate::time::Time;

/// The arguments as written, each kept with its keyword, so that a refusal can point at it.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) key: Option<Arg<Expr>>,
    pub(crate) keys: Option<Arg<Expr>>,
    pub(crate) wait: Option<Arg<Time>>,
    pub(crate) lease: Option<Arg<Time>>,
    pub(crate) retain: Option<Arg<Time>>,
    pub(crate) renew: Option<Arg<LitBool>>,
    pub(crate) reentrant: Option<Arg<LitBool>>,
    pub(crate) manager: Option<Arg<Expr>>,
    pub(crate) guard: Option<Arg<Ident>>,
    pub(crate) krate: Option<Arg<Path>>,
}

/// One argument: `keyword = value`.
pub(crate) struct Arg<T> {
    pub(crate) keyword: Ident,
    pub(crate) value: T,
}

const KNOWN: &str =
    "`key`, `keys`, `wait`, `lease`, `renew`, `retain`, `reentrant`, `manager`, `guard` and `crate`";

/// What other libraries call it, and its name here.
const SYNONYMS: &[(&str, &str)] = &[
    ("name", "key"),
    ("resource", "key"),
    ("timeout", "wait"),
    ("wait_timeout", "wait"),
    ("ttl", "lease"),
    ("expiry", "lease"),
    ("lock_manager", "manager"),
    ("locks", "manager"),
    ("token", "guard"),
    ("lock", "guard"),
];

impl Args {
    /// The name after `guard =`, found in arguments that may not parse: the function that stands beside an error
    /// uses it, and must not add an error of its own.
    pub(crate) fn guard_in(args: TokenStream) -> Option<Ident> {
        let mut tokens = args.into_iter();
        while let Some(token) = tokens.next() {
            if matches!(&token, TokenTree::Ident(word) if word == "guard")
                && matches!(tokens.next(), Some(TokenTree::Punct(sign)) if sign.as_char() == '=')
                && let Some(TokenTree::Ident(name)) = tokens.next()
            {
                return Some(name);
            }
        }
        None
    }
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        each(input, "key = \"balance:user:{user_id}\"", |keyword| match keyword.to_string().as_str() {
            "key" => set(&mut args.key, keyword, input),
            "keys" => set(&mut args.keys, keyword, input),
            "wait" => set(&mut args.wait, keyword, input),
            "lease" => set(&mut args.lease, keyword, input),
            "retain" => set(&mut args.retain, keyword, input),
            "renew" => set(&mut args.renew, keyword, input),
            "reentrant" => set(&mut args.reentrant, keyword, input),
            "manager" => set(&mut args.manager, keyword, input),
            "guard" => set(&mut args.guard, keyword, input),
            "crate" => set(&mut args.krate, keyword, input),
            _ => skip_unknown(&keyword, input, KNOWN, SYNONYMS),
        })?;
        Ok(args)
    }
}

/// Reads arguments one by one, each by `read`, and reports the mistakes of all of them together.
pub(crate) fn each(
    input: ParseStream<'_>,
    example: &str,
    mut read: impl FnMut(Ident) -> Result<Result<()>>,
) -> Result<()> {
    let mut errors = Errors::default();
    while !input.is_empty() {
        if input.peek(Lit) {
            return Err(input.error(format!("an argument is written `name = value`, such as `{example}`")));
        }
        errors.check(read(input.call(Ident::parse_any)?)?);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    errors.finish()
}

/// Reads `= value` into `slot`. The outer error ends the reading, the inner one does not.
pub(crate) fn set<T: Value>(
    slot: &mut Option<Arg<T>>,
    keyword: Ident,
    input: ParseStream<'_>,
) -> Result<Result<()>> {
    if !input.peek(Token![=]) {
        let message = format!("`{keyword}` needs a value: `{keyword} = {}`", T::EXAMPLE);
        return Err(Error::new(keyword.span(), message));
    }
    input.parse::<Token![=]>()?;
    let value = T::read(&keyword, input)?;
    if slot.is_some() {
        return Ok(Err(Error::new(keyword.span(), format!("`{keyword}` is given twice"))));
    }
    *slot = Some(Arg { keyword, value });
    Ok(Ok(()))
}

/// Reads past an argument that is not among the `known`; `synonyms` are what others call them.
pub(crate) fn skip_unknown(
    keyword: &Ident,
    input: ParseStream<'_>,
    known: &str,
    synonyms: &[(&str, &str)],
) -> Result<Result<()>> {
    let name = keyword.to_string();
    let mut message = format!("unknown argument `{name}`");
    match synonyms.iter().find(|(other, _)| *other == name) {
        Some((_, ours)) => message.push_str(&format!("; it is called `{ours}` here")),
        None => message.push_str(&format!("; there are {known}")),
    }
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        input.parse::<Expr>()?;
    }
    Ok(Err(Error::new(keyword.span(), message)))
}

/// What may stand after `keyword =`.
pub(crate) trait Value: Sized {
    /// Shown when the value is missing.
    const EXAMPLE: &'static str;
    fn read(keyword: &Ident, input: ParseStream<'_>) -> Result<Self>;
}

impl Value for Expr {
    const EXAMPLE: &'static str = "…";
    fn read(_: &Ident, input: ParseStream<'_>) -> Result<Self> {
        input.parse().map(bare)
    }
}

impl Value for Time {
    const EXAMPLE: &'static str = "\"10s\"";
    fn read(keyword: &Ident, input: ParseStream<'_>) -> Result<Self> {
        Self::from_literal(keyword, bare(input.parse()?))
    }
}

impl Value for LitBool {
    const EXAMPLE: &'static str = "true";
    fn read(keyword: &Ident, input: ParseStream<'_>) -> Result<Self> {
        input.parse().map_err(|error| Error::new(error.span(), format!("`{keyword}` is `true` or `false`")))
    }
}

impl Value for Ident {
    const EXAMPLE: &'static str = "name";
    fn read(keyword: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let message = format!("`{keyword}` takes the name to bind in the body, such as `{keyword} = lock`");
        input.parse().map_err(|error| Error::new(error.span(), message))
    }
}

impl Value for Path {
    const EXAMPLE: &'static str = "::path::to::lock_core";
    fn read(keyword: &Ident, input: ParseStream<'_>) -> Result<Self> {
        let message = format!("`{keyword}` takes the path of lock-core, such as `{}`", Self::EXAMPLE);
        input.call(Path::parse_mod_style).map_err(|error| Error::new(error.span(), message))
    }
}

/// Takes off the invisible group that a `macro_rules!` fragment comes in.
pub(crate) fn bare(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => bare(*group.expr),
        other => other,
    }
}
