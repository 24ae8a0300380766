use proc_macro2::TokenStream;
use quote::quote;

use super::expand;
use super::model::Once;
use super::validate::validate;
use crate::attribute::IDEMPOTENT;
use crate::body::Body;
use crate::expand::unguarded;
use crate::function::Function;

/// A mistake is reported beside the function, which stays as it was written.
pub(crate) fn idempotent(args: TokenStream, item: &TokenStream) -> TokenStream {
    let function = match Function::read(item.clone(), &IDEMPOTENT) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#error #item);
        }
    };
    match checked(args, &function) {
        Ok((once, body)) => expand::idempotent(&once, &function, &body),
        Err(error) => unguarded(&error, None, &function),
    }
}

fn checked(args: TokenStream, function: &Function) -> syn::Result<(Once, Body)> {
    let body = Body::of(function, &IDEMPOTENT)?;
    let once = Once::from_args(syn::parse2(args)?)?;
    validate(&once, function, &body)?;
    Ok((once, body))
}
