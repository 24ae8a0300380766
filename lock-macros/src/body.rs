use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    AssocType, Block, Error, Expr, ExprAsync, ExprCall, ExprPath, Local, Pat, Result, ReturnType, Stmt, Type,
};

use crate::attribute::Attribute;
use crate::function::Function;

/// The part of a function that runs under the lock.
pub(crate) struct Body {
    /// What the work returns, where the signature tells.
    pub(crate) output: Option<Type>,
    /// Arguments taken apart by name (`let (a, b) = argument;`), which a key may use: they stay before the lock.
    pub(crate) bindings: Vec<Local>,
    /// What runs under the lock.
    pub(crate) work: TokenStream,
    /// How the function hands out its future.
    pub(crate) shape: Shape,
}

/// How a function hands out its future.
pub(crate) enum Shape {
    /// `async fn f() -> T { work }`
    AsyncFn,
    /// `fn f() -> impl Future<Output = T> { async move { work } }`
    Block(ExprAsync),
    /// `fn f() -> Pin<Box<dyn Future<Output = T>>> { Box::pin(async move { work }) }`, which is also what
    /// `#[async_trait]` makes of an `async fn` before this attribute sees it.
    Boxed(ExprCall, ExprAsync),
}

impl Body {
    pub(crate) fn of(function: &Function, ours: &Attribute) -> Result<Self> {
        let Attribute { name, needs, must_return } = ours;
        let not_async = format!(
            "`#[{name}]` needs an `async fn`, since it waits for {needs}; if another attribute made this function an \
             ordinary one, write `#[{name}]` above that attribute"
        );
        let not_one_block = format!(
            "a function that returns a future may hold nothing but `Box::pin(async move {{ … }})` or \
             `async move {{ … }}`: the rest would run without {needs}"
        );
        let sig = &function.sig;
        let ReturnType::Type(_, returned) = &sig.output else {
            let fault: &dyn ToTokens = if sig.asyncness.is_some() { &sig.ident } else { &sig.fn_token };
            let message = if sig.asyncness.is_some() {
                format!("a function under `#[{name}]` {must_return}")
            } else {
                not_async
            };
            return Err(Error::new_spanned(fault, message));
        };
        if sig.asyncness.is_some() {
            let work = function.block.stream();
            return Ok(Self {
                output: Some((**returned).clone()),
                bindings: Vec::new(),
                work,
                shape: Shape::AsyncFn,
            });
        }

        let output = future_output(returned);
        let wrong = || match &output {
            Some(_) => Error::new(function.block.span_open(), &not_one_block),
            None => Error::new_spanned(sig.fn_token, &not_async),
        };
        let block: Block = syn::parse2(function.block.to_token_stream()).map_err(|_| wrong())?;
        let [Stmt::Expr(future, None)] = &block.stmts[..] else {
            return Err(match &block.stmts[..] {
                [stray, _, ..] if output.is_some() => Error::new_spanned(stray, &not_one_block),
                _ => wrong(),
            });
        };
        let shape = match future {
            Expr::Async(block) => Shape::Block(block.clone()),
            Expr::Call(call) if is_box_pin(&call.func) => match call.args.first() {
                Some(Expr::Async(block)) => Shape::Boxed(call.clone(), block.clone()),
                _ => return Err(wrong()),
            },
            _ => return Err(wrong()),
        };
        let (Shape::Block(inner) | Shape::Boxed(_, inner)) = &shape else {
            return Err(wrong());
        };
        let mut bindings = Vec::new();
        let mut work = TokenStream::new();
        for statement in &inner.block.stmts {
            match statement {
                Stmt::Local(local) if takes_argument_apart(local) => bindings.push(local.clone()),
                other => other.to_tokens(&mut work),
            }
        }
        Ok(Self { output, bindings, work, shape })
    }
}

/// `let (a, b) = { let __arg1 = __arg1; __arg1 };`, as `#[async_trait]` writes it for an argument that is a pattern.
fn takes_argument_apart(local: &Local) -> bool {
    fn only_moves_an_argument(tokens: TokenStream) -> bool {
        tokens.into_iter().all(|token| match token {
            TokenTree::Group(group) => only_moves_an_argument(group.stream()),
            TokenTree::Ident(name) => name == "let" || name.to_string().starts_with("__arg"),
            TokenTree::Punct(_) => true,
            TokenTree::Literal(_) => false,
        })
    }
    let Some(init) = &local.init else { return false };
    !matches!(local.pat, Pat::Ident(_))
        && init.diverge.is_none()
        && only_moves_an_argument(init.expr.to_token_stream())
}

fn is_box_pin(function: &Expr) -> bool {
    let Expr::Path(ExprPath { path, .. }) = function else {
        return false;
    };
    let mut names = path.segments.iter().rev().map(|segment| &segment.ident);
    names.next().is_some_and(|name| name == "pin") && names.next().is_some_and(|name| name == "Box")
}

/// `T` of the first `Future<Output = T>` in a type.
fn future_output(returned: &Type) -> Option<Type> {
    struct Finder(Option<Type>);
    impl<'ast> Visit<'ast> for Finder {
        fn visit_assoc_type(&mut self, assoc: &'ast AssocType) {
            if self.0.is_none() && assoc.ident == "Output" {
                self.0 = Some(assoc.ty.clone());
            }
            visit::visit_assoc_type(self, assoc);
        }
    }
    let mut finder = Finder(None);
    finder.visit_type(returned);
    finder.0
}
