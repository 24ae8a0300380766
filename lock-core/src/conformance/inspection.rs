use std::sync::Arc;

use super::cases::{LONG, key};
use crate::backend::{BackendErrorKind, LockBackend};
use crate::conformance::Node;

/// What is told of a key is true: who owns it, how many queue, and when nobody owns it. A backend that cannot tell says
/// so.
pub async fn a_key_is_shown_and_listed_while_it_is_owned(backend: Arc<dyn LockBackend>) {
    let (a, b) = (Node::attach(&backend).await, Node::attach(&backend).await);
    let key = key();
    match backend.show(&key).await {
        Err(error) if error.kind() == BackendErrorKind::Unsupported => return,
        shown => assert_eq!(shown.expect("show"), None, "nobody owns it"),
    }
    let (owner, _) = a.own(&key, LONG).await;
    let waiter = b.queue(&key, LONG).await;
    let shown = backend.show(&key).await.expect("show").expect("it is owned");
    assert_eq!((&shown.key, shown.owner, shown.queued), (&key, owner, 1));
    assert!(shown.remaining <= LONG && shown.remaining > LONG / 2, "{shown:?}");
    assert!(shown.since_grant.is_none_or(|since| since < LONG), "{shown:?}");

    let listed = backend.list(key.as_str(), 10).await.expect("list");
    assert!(matches!(listed.as_slice(), [held] if held.key == key && held.owner == owner), "{listed:?}");
    assert_eq!(backend.list("conformance:none", 10).await.expect("list"), []);

    a.release(&key, owner).await;
    b.granted(waiter).await;
    let shown = backend.show(&key).await.expect("show").expect("it is owned");
    assert_eq!((shown.owner, shown.queued), (waiter, 0));
    b.release(&key, waiter).await;
    assert_eq!(backend.show(&key).await.expect("show"), None);
    assert_eq!(backend.list(key.as_str(), 10).await.expect("list"), []);
}
