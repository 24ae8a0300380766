use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, parse_quote};

use super::arguments;
use super::model::Once;
use crate::body::Body;
use crate::expand::{as_ours, duration, in_place, return_edge, site, text, without_impl_trait};
use crate::function::Function;
use crate::key::Key;

/// Writes the function with its body under the key.
///
/// ```text
/// async fn pay(&self, key: &str, order: &Order) -> Result<Receipt, PayError> {
///     let store = ::idempotency::__private::store(&self.once);
///     let call = ::idempotency::__private::Call::new(
///         ::idempotency::__private::key(&key),
///         ::idempotency::__private::text(&"payment"),
///     )
///     .fingerprint(::idempotency::__private::arguments([("order", ::idempotency::__private::argument(&order))]));
///     ::idempotency::__private::run::<_, Result<Receipt, PayError>, _>(store, call, move || async move { …; { the body } })
///         .await
/// }
/// ```
///
/// What the call is told are owned values before the body exists, so they may borrow an argument that the body moves.
pub(super) fn idempotent(once: &Once, function: &Function, body: &Body) -> TokenStream {
    let private = private(once, site());
    let store = borrowed(&once.store, &private, "store");
    let call = call(once, function, body, &private);
    let output = body.output.as_ref().map_or_else(|| parse_quote!(_), without_impl_trait);
    let edge = return_edge(&output);
    let work = &body.work;
    let arguments = quote_spanned!(site()=> store, call, move || async move { #edge { #work } });
    // A result that cannot be stored is a mistake of the line that names it, not of the attribute.
    let place = body.output.as_ref().map_or_else(site, Spanned::span);
    let private = self::private(once, place);
    let run = quote_spanned!(place=> #private::run(#arguments).await);
    let run = quote_spanned! {site()=>
        let store = #store;
        let call = #call;
        #run
    };
    in_place(function, body, &run)
}

fn call(once: &Once, function: &Function, body: &Body, private: &TokenStream) -> TokenStream {
    let key = match &once.key {
        Key::Template(_) => {
            let text = text(&once.key);
            quote_spanned!(site()=> #private::template(#text))
        }
        Key::Computed(expression) => borrowed(expression, private, "key"),
    };
    let scope = borrowed(&once.scope, private, "text");
    let fingerprint = match &once.fingerprint {
        Some(expression) => borrowed(expression, private, "argument"),
        None => {
            let parts = arguments::of(function, &body.bindings, once).into_iter().map(|name| {
                let label = name.to_string();
                let value = borrowed(&parse_quote!(#name), private, "argument");
                quote_spanned!(site()=> (#label, #value))
            });
            quote_spanned!(site()=> #private::arguments([#(#parts),*]))
        }
    };
    let mut call = quote_spanned!(site()=> #private::Call::new(#key, #scope).fingerprint(#fingerprint));
    if let Some(tenant) = &once.tenant {
        let tenant = borrowed(tenant, private, "display");
        call.extend(quote_spanned!(site()=> .tenant(#tenant)));
    }
    if let Some(version) = once.version {
        call.extend(quote_spanned!(site()=> .version(#version)));
    }
    for (name, time) in [("ttl", once.ttl), ("wait", once.wait), ("lease", once.lease)] {
        if let Some(time) = time {
            let (name, time) = (Ident::new(name, site()), duration(time.length));
            call.extend(quote_spanned!(site()=> .#name(#time)));
        }
    }
    if let Some(takeover) = &once.takeover {
        call.extend(quote_spanned!(site()=> .takeover(#takeover)));
    }
    call
}

/// `function(&expression)`, whose mistakes are those of the expression's own place.
fn borrowed(expression: &Expr, private: &TokenStream, function: &str) -> TokenStream {
    let function = Ident::new(function, site());
    match expression {
        Expr::Reference(_) => quote_spanned!(site()=> #private::#function(#expression)),
        _ => {
            let borrow = quote_spanned!(expression.span()=> &);
            quote_spanned!(site()=> #private::#function(#borrow #expression))
        }
    }
}

fn private(once: &Once, place: Span) -> TokenStream {
    match &once.krate {
        None => quote_spanned!(place=> ::idempotency::__private),
        Some(path) => {
            let path = as_ours(path.to_token_stream());
            quote_spanned!(place=> #path::__private)
        }
    }
}
