use futures_util::stream::{self, StreamExt};

use crate::contender::Contender;

/// As many acquires are under way at once while the keys are taken.
const AT_ONCE: usize = 256;

/// Takes `count` keys and keeps them.
pub async fn hold_many<C: Contender>(contender: &C, count: usize) -> Vec<C::Guard> {
    stream::iter(0..count)
        .map(|number| async move { contender.acquire(&format!("balance:user:{number}")).await })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}
