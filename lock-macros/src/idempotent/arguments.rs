use syn::visit::{self, Visit};
use syn::{FnArg, Ident, Local, PatIdent};

use super::model::Once;
use crate::function::Function;
use crate::scope::Scope;

/// The arguments that tell one request from another, where `fingerprint` does not: all but the receiver, and but the
/// one that the store is in.
pub(super) fn of(function: &Function, bindings: &[Local], once: &Once) -> Vec<Ident> {
    let mut names = Names(Vec::new());
    for argument in &function.sig.inputs {
        if let FnArg::Typed(argument) = argument {
            names.visit_pat(&argument.pat);
        }
    }
    for binding in bindings {
        names.visit_pat(&binding.pat);
    }
    let store = Scope::root(&once.store);
    names.0.retain(|name| {
        let name = name.to_string();
        Some(&name) != store.as_ref() && !name.starts_with("__arg")
    });
    names.0
}

struct Names(Vec<Ident>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.push(pattern.ident.clone());
        visit::visit_pat_ident(self, pattern);
    }
}
