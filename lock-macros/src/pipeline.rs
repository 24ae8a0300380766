use proc_macro2::TokenStream;
use quote::quote;

use crate::args::Args;
use crate::attribute::DISTRIBUTED_LOCK;
use crate::body::Body;
use crate::expand;
use crate::function::Function;
use crate::lock::Lock;
use crate::scope::Scope;
use crate::validate;

/// Arguments → model → rules → expansion. A mistake is reported beside the function, which stays as it was written,
/// so that one mistake makes one message.
pub(crate) fn distributed_lock(args: TokenStream, item: &TokenStream) -> TokenStream {
    let function = match Function::read(item.clone(), &DISTRIBUTED_LOCK) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    match checked(args.clone(), &function) {
        Ok((lock, body)) => expand::guarded(&lock, &function, &body),
        Err(error) => {
            let scope = Scope::of(&function, &[]);
            let guard = Args::guard_in(args).filter(|guard| !scope.holds(&guard.to_string()));
            expand::unguarded(&error, guard.as_ref(), &function)
        }
    }
}

fn checked(args: TokenStream, function: &Function) -> syn::Result<(Lock, Body)> {
    let body = Body::of(function, &DISTRIBUTED_LOCK)?;
    let lock = Lock::from_args(syn::parse2(args)?)?;
    validate::validate(&lock, function, &body)?;
    Ok((lock, body))
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};
    use syn::{File, Item, ItemFn, parse_quote};

    use super::*;

    fn function(tokens: TokenStream) -> (Vec<Item>, ItemFn) {
        let mut items = syn::parse2::<File>(tokens).unwrap().items;
        match items.pop() {
            Some(Item::Fn(function)) => (items, function),
            other => panic!("a function comes last: {other:?}", other = other.to_token_stream().to_string()),
        }
    }

    fn written() -> ItemFn {
        parse_quote! {
            /// Charges.
            #[must_use = "why"]
            pub(crate) async unsafe fn charge<'a, T, const N: usize>(
                #[cfg(all())] mut a: &'a [T; N],
                (b, _): (u8, impl Copy),
            ) -> Result<impl Sized, E>
            where
                T: 'a,
            {
                #![allow(unused)]
                a(b)
            }
        }
    }

    #[test]
    fn attributes_and_signature_pass_token_for_token() {
        let item = written().into_token_stream();
        let (before, found) = function(distributed_lock(quote!(key = "k:{b}", guard = lock), &item));
        let written = written();
        assert!(before.is_empty());
        assert_eq!(found.sig, written.sig);
        assert_eq!(found.vis, written.vis);
        assert_eq!(found.attrs, written.attrs);
        let body = found.block.to_token_stream().to_string();
        assert!(body.contains("installed ()") && body.contains("move | lock | async move"), "{body}");
    }

    #[test]
    fn every_argument_reaches_the_call() {
        let args = quote! {
            keys = ["a:{b:02}", "c:{b + 1:02}"], wait = "1m30s", lease = "250ms", renew = false, retain = "0s", reentrant = true,
            manager = self.locks, crate = crate::locks
        };
        let expanded = distributed_lock(args, &written().into_token_stream()).to_string().replace(' ', "");
        for part in [
            "letmanager=crate::locks::__private::manager(&self.locks);",
            "crate::locks::__private::each([",
            "key(::core::format_args!(\"a:{b:02}\"))",
            "key(::core::format_args!(\"c:{:02}\",b+1))",
            "crate::locks::__private::run_all(::core::option::Option::as_ref(&manager),key,",
            "LockOptions::new().wait(::core::time::Duration::new(90u64,0u32))",
            ".lease(::core::time::Duration::new(0u64,250000000u32)).retain(::core::time::Duration::new(0u64,0u32))",
            ".renew(false).reentrant(true).pattern(\"a:{b:02},c:{b+1:02}\")",
            "move|_|asyncmove",
        ] {
            assert!(expanded.contains(part), "{part} is not in {expanded}");
        }
    }

    #[test]
    fn a_manager_is_borrowed_where_the_body_cannot_take_it_away() {
        let function = |arguments: TokenStream| quote!(async fn f(#arguments) -> Result<(), E> { Ok(()) });
        let cases = [
            (quote!(self.locks), quote!(&self), true),
            (quote!(self.shop.locks), quote!(&'a self, b: u8), true),
            (quote!(locks), quote!(b: u8, mut locks: &Arc<LockManager>), true),
            (quote!(self.locks), quote!(&mut self), false),
            (quote!(self.locks), quote!(self), false),
            (quote!(self.locks), quote!(self: &Self), false),
            (quote!(self.locks()), quote!(&self), false),
            (quote!(shop.locks), quote!(shop: &Shop), false),
            (quote!(locks), quote!(locks: LockManager), false),
            (quote!(locks), quote!(locks: &mut LockManager), false),
            (quote!(locks), quote!(Locks(locks): &Locks), false),
            (quote!(LOCKS), quote!(locks: &LockManager), false),
            (quote!(locks), quote!(#[cfg(a)] locks: &LockManager, #[cfg(b)] locks: LockManager), false),
        ];
        for (manager, arguments, borrowed) in cases {
            let args = quote!(key = "k", manager = #manager);
            let expanded = distributed_lock(args, &function(arguments.clone())).to_string().replace(' ', "");
            assert_eq!(expanded.contains("__private::borrowed("), borrowed, "{manager} of ({arguments})");
            assert_eq!(expanded.contains("__private::manager("), !borrowed, "{manager} of ({arguments})");
        }
    }

    #[test]
    fn beside_a_mistake_the_function_stands_as_it_was() {
        let item = written().into_token_stream();
        for mistake in
            [quote!(key = "k:{c}"), quote!(), quote!(key = ), quote!(key "k"), quote!(key = "k", wait = "1d")]
        {
            let (before, found) = function(distributed_lock(mistake.clone(), &item));
            let error = before.into_iter().map(|item| item.to_token_stream().to_string()).collect::<String>();
            assert!(error.contains("compile_error !"), "{mistake}: {error}");
            assert_eq!((found.sig, found.block), (written().sig, written().block), "{mistake}");
        }
    }

    #[test]
    fn a_body_that_is_half_written_still_expands() {
        let item = quote!(async fn charge() -> Option<()> { self.locks. });
        let expanded = distributed_lock(quote!(key = "k"), &item).to_string();
        assert!(!expanded.contains("compile_error") && expanded.contains("{ self . locks . }"), "{expanded}");
    }
}
