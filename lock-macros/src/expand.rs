use std::slice;
use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, LitStr, Token, Type, TypeInfer, parse_quote};

use crate::body::{Body, Shape};
use crate::function::Function;
use crate::key::{Key, Keys};
use crate::lock::Lock;
use crate::template::Template;

/// Writes the function with its body under the lock.
///
/// ```text
/// async fn charge(&self, user_id: u64) -> Result<Charged, WalletError> {
///     let manager = ::lock_core::__private::borrowed(&self.locks);
///     let key = ::lock_core::__private::key(format_args!("balance:user:{user_id}"));
///     ::lock_core::__private::run::<Result<Charged, WalletError>, _>(
///         manager,
///         key,
///         const { ::lock_core::__private::LockOptions::new().wait(Duration::new(10, 0)) },
///         move |_| async move { …; { the body } },
///     )
///     .await
/// }
/// ```
///
/// The key is an owned value before the body exists, so it may borrow an argument that the body then moves. So is the
/// manager (`manager(…)`, and `Option::as_ref(&manager)` below), unless the body cannot take it away.
pub(crate) fn guarded(lock: &Lock, function: &Function, body: &Body) -> TokenStream {
    let lives_on = matches!(body.shape, Shape::AsyncFn)
        && lock.manager.as_ref().is_some_and(|manager| function.borrows(manager));
    in_place(function, body, &run(lock, body, lives_on))
}

/// Writes the function with `run` where its future is made.
pub(crate) fn in_place(function: &Function, body: &Body, run: &TokenStream) -> TokenStream {
    let bindings = &body.bindings;
    match &body.shape {
        Shape::AsyncFn => function.with_body(quote!(#run)),
        Shape::Block(block) => {
            let mut block = block.clone();
            block.block = parse_quote!({ #(#bindings)* #run });
            function.with_body(block)
        }
        Shape::Boxed(call, block) => {
            let (mut call, mut block) = (call.clone(), block.clone());
            block.block = parse_quote!({ #(#bindings)* #run });
            call.args = [Expr::Async(block)].into_iter().collect();
            function.with_body(call)
        }
    }
}

/// Writes the mistakes, and the function as it was. What only the key or the manager names is not unused.
pub(crate) fn unguarded(error: &syn::Error, guard: Option<&Ident>, function: &Function) -> TokenStream {
    let error = error.to_compile_error();
    let work = function.block.stream();
    let binding = guard.map(|guard| quote!(let #guard: ::lock_core::__private::HeldLock = (|| loop {})();));
    let function = function.with_body(quote!(#binding #work));
    quote!(#error #[allow(unused_mut, unused_variables)] #function)
}

/// The manager is borrowed if it `lives_on` whatever the body does with the arguments, else cloned.
fn run(lock: &Lock, body: &Body, lives_on: bool) -> TokenStream {
    let private = private(lock, site());
    let (manager, borrowed) = if lives_on {
        (named(lock, &private, "borrowed"), quote_spanned!(site()=> manager))
    } else {
        (named(lock, &private, "manager"), quote_spanned!(site()=> ::core::option::Option::as_ref(&manager)))
    };
    let keys = keys(lock, &private);
    let options = options(lock, &private);
    let output = body.output.as_ref().map_or_else(|| parse_quote!(_), without_impl_trait);
    let guard = lock.guard.as_ref().map_or_else(|| quote_spanned!(site()=> _), ToTokens::to_token_stream);
    let edge = return_edge(&output);
    let work = &body.work;
    let arguments =
        quote_spanned! {site()=> #borrowed, key, #options, move |#guard| async move { #edge { #work } } };
    // A result that cannot carry a `LockError` is a mistake of the line that names it, not of the attribute.
    let place = body.output.as_ref().map_or_else(site, Spanned::span);
    let private = self::private(lock, place);
    let run = match lock.keys {
        Keys::One(_) => quote_spanned!(place=> #private::run),
        Keys::Listed(_) | Keys::Computed(_) => quote_spanned!(place=> #private::run_all),
    };
    let call = quote_spanned!(place=> #run(#arguments).await);
    quote_spanned! {site()=>
        let manager = #manager;
        let key = #keys;
        #call
    }
}

/// A typed return that is never reached: it makes a wrong result in the body a mistake of the user's own line.
pub(crate) fn return_edge(output: &Type) -> TokenStream {
    if matches!(output, Type::Infer(_)) {
        return TokenStream::new();
    }
    // Where the compiler says that the return type comes from.
    let result = Ident::new("__result", output.span());
    quote_spanned! {site()=>
        if let ::core::option::Option::Some(#result) = ::core::option::Option::None::<#output> {
            return #result;
        }
    }
}

fn named(lock: &Lock, private: &TokenStream, function: &str) -> TokenStream {
    let function = Ident::new(function, site());
    match &lock.manager {
        None => quote_spanned!(site()=> #private::installed()),
        Some(expression) => {
            // A manager of another type is a mistake at its own place.
            let borrow = quote_spanned!(expression.span()=> &);
            match expression {
                Expr::Reference(_) => quote_spanned!(site()=> #private::#function(#expression)),
                // Behind `&` their branches would have to be managers, not references to one.
                Expr::If(_) | Expr::Match(_) | Expr::Block(_) => quote_spanned! {site()=>
                    match #expression { ref manager => #private::#function(manager) }
                },
                _ => quote_spanned!(site()=> #private::#function(#borrow #expression)),
            }
        }
    }
}

fn keys(lock: &Lock, private: &TokenStream) -> TokenStream {
    match &lock.keys {
        Keys::One(one) => key(one, private),
        Keys::Listed(listed) => {
            let listed = listed.iter().map(|one| key(one, private));
            quote_spanned!(site()=> #private::each([#(#listed),*]))
        }
        Keys::Computed(expression) => quote_spanned!(site()=> #private::keys(#expression)),
    }
}

fn key(key: &Key, private: &TokenStream) -> TokenStream {
    let text = text(key);
    quote_spanned!(site()=> #private::key(#text))
}

/// The text of a key, not yet owned.
pub(crate) fn text(key: &Key) -> TokenStream {
    let (format, values) = match key {
        Key::Computed(expression) => (LitStr::new("{}", site()), slice::from_ref(expression)),
        Key::Template(template) if template.is_plain() => (template.literal.clone(), &[][..]),
        Key::Template(Template { literal, format, placeholders }) => {
            (LitStr::new(format, literal.span()), &placeholders[..])
        }
    };
    quote_spanned!(site()=> ::core::format_args!(#format #(, #values)*))
}

fn options(lock: &Lock, private: &TokenStream) -> TokenStream {
    let mut options = quote_spanned!(site()=> #private::LockOptions::new());
    for (name, time) in [("wait", lock.wait), ("lease", lock.lease), ("retain", lock.retain)] {
        if let Some(time) = time {
            let (name, time) = (Ident::new(name, site()), duration(time.length));
            options.extend(quote_spanned!(site()=> .#name(#time)));
        }
    }
    for (name, flag) in [("renew", &lock.renew), ("reentrant", &lock.reentrant)] {
        if let Some(flag) = flag {
            let name = Ident::new(name, site());
            options.extend(quote_spanned!(site()=> .#name(#flag)));
        }
    }
    if let Some(pattern) = lock.keys.pattern() {
        options.extend(quote_spanned!(site()=> .pattern(#pattern)));
    }
    quote_spanned!(site()=> const { #options })
}

pub(crate) fn duration(length: Duration) -> TokenStream {
    let (seconds, nanoseconds) = (length.as_secs(), length.subsec_nanos());
    quote_spanned!(site()=> ::core::time::Duration::new(#seconds, #nanoseconds))
}

fn private(lock: &Lock, place: Span) -> TokenStream {
    match &lock.krate {
        None => quote_spanned!(place=> ::lock_core::__private),
        // The user's own tokens would be the user's to blame for a path that could be shorter.
        Some(path) => {
            let path = as_ours(path.to_token_stream());
            quote_spanned!(place=> #path::__private)
        }
    }
}

pub(crate) fn as_ours(tokens: TokenStream) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(token.span().resolved_at(site()));
        token
    };
    tokens.into_iter().map(respan).collect()
}

/// Where names of ours live: they see nothing of the user's, and nothing of the user's sees them.
pub(crate) fn site() -> Span {
    Span::mixed_site()
}

/// `impl Trait` cannot be written in the body; there the compiler finds the type by itself.
pub(crate) fn without_impl_trait(output: &Type) -> Type {
    struct Eraser;
    impl VisitMut for Eraser {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if let Type::ImplTrait(found) = ty {
                *ty = Type::Infer(TypeInfer { underscore_token: Token![_](found.span()) });
            } else {
                visit_mut::visit_type_mut(self, ty);
            }
        }
    }
    let mut output = output.clone();
    Eraser.visit_type_mut(&mut output);
    output
}
