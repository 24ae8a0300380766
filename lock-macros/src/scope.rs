use syn::visit::{self, Visit};
use syn::{Expr, ExprPath, FnArg, GenericParam, Local, PatIdent};

use crate::function::Function;

/// The names that a placeholder may use.
pub(crate) struct Scope(Vec<String>);

impl Scope {
    pub(crate) fn of(function: &Function, bindings: &[Local]) -> Self {
        let mut scope = Self(Vec::new());
        for argument in &function.sig.inputs {
            match argument {
                FnArg::Receiver(_) => scope.0.push("self".into()),
                FnArg::Typed(argument) => scope.visit_pat(&argument.pat),
            }
        }
        for binding in bindings {
            scope.visit_pat(&binding.pat);
        }
        for parameter in &function.sig.generics.params {
            if let GenericParam::Const(constant) = parameter {
                scope.0.push(constant.ident.to_string());
            }
        }
        scope
    }

    pub(crate) fn holds(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name)
    }

    /// The names in words, without those that an attribute macro made up.
    pub(crate) fn in_words(&self) -> String {
        let names: Vec<_> =
            self.0.iter().filter(|name| !name.starts_with("__")).map(|name| format!("`{name}`")).collect();
        match &names[..] {
            [] => "there is none".into(),
            [one] => format!("only {one} is in scope"),
            [first @ .., last] => format!("in scope are {} and {last}", first.join(", ")),
        }
    }

    /// The name that an expression starts from (`order` of `order.user.id()`), if it should be an argument: what is
    /// not written in lower case may be a constant or a static.
    pub(crate) fn root(expression: &Expr) -> Option<String> {
        match expression {
            Expr::Path(ExprPath { qself: None, path, .. }) => {
                let name = path.get_ident()?.to_string();
                name.starts_with(|first: char| first.is_lowercase() || first == '_').then_some(name)
            }
            Expr::Field(field) => Self::root(&field.base),
            Expr::MethodCall(call) => Self::root(&call.receiver),
            Expr::Index(index) => Self::root(&index.expr),
            Expr::Reference(reference) => Self::root(&reference.expr),
            Expr::Unary(unary) => Self::root(&unary.expr),
            Expr::Cast(cast) => Self::root(&cast.expr),
            Expr::Paren(paren) => Self::root(&paren.expr),
            Expr::Group(group) => Self::root(&group.expr),
            Expr::Try(attempt) => Self::root(&attempt.expr),
            Expr::Await(future) => Self::root(&future.base),
            _ => None,
        }
    }
}

impl<'ast> Visit<'ast> for Scope {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.push(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }
}
