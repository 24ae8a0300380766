use std::time::Duration;

use syn::{Error, Result};

use super::model::Once;
use crate::body::Body;
use crate::errors::Errors;
use crate::function::Function;
use crate::scope::Scope;
use crate::time::Time;
use crate::validate::{placeholders, transactions};

const MIN_LEASE: Duration = Duration::from_millis(100);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Checks every rule that one argument alone cannot break.
pub(super) fn validate(once: &Once, function: &Function, body: &Body) -> Result<()> {
    let mut errors = Errors::default();
    limits(once, &mut errors);
    placeholders(once.template().into_iter(), &Scope::of(function, &body.bindings), &mut errors);
    let message = "a transaction that comes from outside commits after the response is stored, so the key may be done \
                   and the effect rolled back; use `Request::transaction`, which commits both together";
    transactions(function, message, &mut errors);
    errors.finish()
}

fn limits(once: &Once, errors: &mut Errors) {
    let mut refuse = |time: Time, message: &str| errors.push(Error::new(time.span, message));
    if let Some(lease) = once.lease {
        if lease.length < MIN_LEASE {
            refuse(
                lease,
                "`lease` is at least 100ms: below, one slow reply of the database would lose the key",
            );
        } else if lease.length > DAY {
            refuse(lease, "`lease` is at most 24h: for so long nobody sees that a process has crashed");
        }
    }
    if let Some(wait) = once.wait.filter(|wait| wait.length > DAY) {
        refuse(wait, "`wait` is at most 24h");
    }
    match (once.ttl, once.lease) {
        (Some(ttl), _) if ttl.length.is_zero() => {
            refuse(
                ttl,
                "`ttl` is how long the response is answered again; with zero the work would run each time",
            );
        }
        (Some(ttl), Some(lease)) if ttl.length < lease.length => {
            refuse(ttl, "`ttl` is at least `lease`: the key must outlast the work");
        }
        _ => {}
    }
}
