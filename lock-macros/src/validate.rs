use std::time::Duration;

use syn::{Error, FnArg, Result};

use crate::body::Body;
use crate::errors::Errors;
use crate::function::Function;
use crate::lock::Lock;
use crate::scope::Scope;
use crate::template::Template;
use crate::time::Time;
use crate::transaction;

const MIN_LEASE: Duration = Duration::from_millis(10);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks every rule that one argument alone cannot break.
pub(crate) fn validate(lock: &Lock, function: &Function, body: &Body) -> Result<()> {
    let mut errors = Errors::default();
    let scope = Scope::of(function, &body.bindings);
    limits(lock, &mut errors);
    placeholders(lock.keys.templates(), &scope, &mut errors);
    guard_name(lock, &scope, &mut errors);
    let message = "a transaction that comes from outside commits after the lock is released, so others work on what is \
                   not committed yet; take the pool, and begin and commit inside the function";
    transactions(function, message, &mut errors);
    errors.finish()
}

fn limits(lock: &Lock, errors: &mut Errors) {
    let mut refuse = |time: &Time, message: &str| errors.push(Error::new(time.span, message));
    if let Some(wait) = lock.wait.filter(|wait| wait.length > DAY) {
        refuse(&wait, "`wait` is at most 24h");
    }
    match lock.lease {
        Some(lease) if lease.length.is_zero() => {
            refuse(&lease, "`lease` is how long the lock may be held; with zero it is lost at once");
        }
        Some(lease) if lease.length < MIN_LEASE => {
            refuse(
                &lease,
                "`lease` is at least 10ms: below, one slow reply of the backend would lose the lock",
            );
        }
        Some(lease) if lease.length > DAY => {
            refuse(&lease, "`lease` is at most 24h: a holder that crashes blocks its key for so long");
        }
        _ => {}
    }
    if let Some(retain) = lock.retain.filter(|retain| retain.length > DAY) {
        refuse(&retain, "`retain` is at most 24h");
    }
}

/// Checks that placeholders name arguments.
pub(crate) fn placeholders<'t>(
    templates: impl Iterator<Item = &'t Template>,
    scope: &Scope,
    errors: &mut Errors,
) {
    for template in templates {
        for name in template.placeholders.iter().filter_map(Scope::root).filter(|name| !scope.holds(name)) {
            let message = match name.as_str() {
                "self" => "`self` is not in scope: this function is not a method".to_owned(),
                _ => format!("`{name}` is not an argument of this function: {}", scope.in_words()),
            };
            errors.push(Error::new(template.literal.span(), message));
        }
    }
}

fn guard_name(lock: &Lock, scope: &Scope, errors: &mut Errors) {
    if let Some(guard) = lock.guard.as_ref().filter(|guard| scope.holds(&guard.to_string())) {
        let message =
            format!("`{guard}` is an argument of this function already; give the guard another name");
        errors.push(Error::new(guard.span(), message));
    }
}

/// Refuses transactions that come from outside.
pub(crate) fn transactions(function: &Function, message: &str, errors: &mut Errors) {
    for argument in &function.sig.inputs {
        if let FnArg::Typed(argument) = argument
            && let Some(path) = transaction::find_in(&argument.ty)
        {
            errors.push(Error::new_spanned(path, message));
        }
    }
}
