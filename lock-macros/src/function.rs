use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Expr, FnArg, Pat, PatType, Result, Signature, Token, Type, Visibility};

use crate::attribute::Attribute as Ours;

/// A function as the user wrote it. The signature is read; the body stays tokens, so that half-written code expands.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// `#![…]` at the head of the body.
    pub(crate) inner_attrs: Vec<Attribute>,
    /// The body in its braces, without `inner_attrs`.
    pub(crate) block: Group,
}

impl Function {
    /// Reads what stands under the attribute `ours`.
    pub(crate) fn read(item: TokenStream, ours: &Ours) -> Result<Self> {
        (|input: ParseStream<'_>| Self::parse(input, ours)).parse2(item)
    }

    fn parse(input: ParseStream<'_>, ours: &Ours) -> Result<Self> {
        let (start, Ours { name, needs, .. }) = (input.span(), ours);
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = input.parse()?;
        let sig: Signature = input
            .parse()
            .map_err(|_| Error::new(start, format!("`#[{name}]` goes on an async function or method")))?;
        if input.peek(Token![;]) {
            let message = format!(
                "this method has no body to run under {needs}; put `#[{name}]` on its implementations"
            );
            return Err(Error::new_spanned(&sig.ident, message));
        }
        let TokenTree::Group(block) = input.parse()? else {
            return Err(input.error("expected the body of the function"));
        };
        let (inner_attrs, body) = split_inner_attrs.parse2(block.stream())?;
        let mut bare = Group::new(block.delimiter(), body);
        bare.set_span(block.span());
        Ok(Self { attrs, vis, defaultness, sig, inner_attrs, block: bare })
    }
}

fn split_inner_attrs(input: ParseStream<'_>) -> Result<(Vec<Attribute>, TokenStream)> {
    Ok((input.call(Attribute::parse_inner)?, input.parse()?))
}

impl Function {
    /// Whether `place` stays where it is whatever the body does: it is reached through a shared reference that the function
    /// was given.
    pub(crate) fn borrows(&self, place: &Expr) -> bool {
        match place {
            Expr::Field(field) => match &*field.base {
                Expr::Path(base) if base.path.is_ident("self") => {
                    self.sig.receiver().is_some_and(|me| me.reference.is_some() && me.mutability.is_none())
                }
                base => matches!(base, Expr::Field(_)) && self.borrows(base),
            },
            Expr::Path(path) => {
                // There may be several of a name, of which only one is compiled.
                let mut named = self.sig.inputs.iter().filter_map(|input| match input {
                    FnArg::Typed(PatType { pat, ty, .. }) => {
                        matches!(&**pat, Pat::Ident(name) if path.path.is_ident(&name.ident)).then_some(&**ty)
                    }
                    FnArg::Receiver(_) => None,
                });
                let shared = |ty: &Type| matches!(ty, Type::Reference(to) if to.mutability.is_none());
                named.next().is_some_and(shared) && named.all(shared)
            }
            _ => false,
        }
    }

    /// Writes the function with another body.
    pub(crate) fn with_body(&self, body: impl ToTokens) -> TokenStream {
        let mut inside = TokenStream::new();
        inside.append_all(&self.inner_attrs);
        body.to_tokens(&mut inside);
        let mut block = Group::new(self.block.delimiter(), inside);
        block.set_span(self.block.span());

        let mut tokens = TokenStream::new();
        tokens.append_all(&self.attrs);
        self.vis.to_tokens(&mut tokens);
        self.defaultness.to_tokens(&mut tokens);
        self.sig.to_tokens(&mut tokens);
        block.to_tokens(&mut tokens);
        tokens
    }
}
