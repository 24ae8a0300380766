//! Which key a function under `#[distributed_lock]` takes.

use lock_core::{InvalidKey, LockError, LockKey, LockManager, distributed_lock};

struct Order {
    id: u64,
    buyer: String,
    lines: Vec<u64>,
}

fn order() -> Order {
    Order { id: 7, buyer: "ada".into(), lines: vec![3, 1, 2, 1] }
}

const SHARD: &str = "eu";
static REGION: &str = "west";

#[distributed_lock(key = "job:settlement", manager = locks, guard = lock)]
async fn fixed(locks: &LockManager) -> Result<LockKey, LockError> {
    Ok(lock.key().clone())
}

#[distributed_lock(key = "balance:user:{user_id}", manager = locks, guard = lock)]
async fn argument(locks: &LockManager, user_id: u64) -> Result<LockKey, LockError> {
    Ok(lock.key().clone())
}

#[distributed_lock(key = "order:{order.id}:{order.buyer}:{order.lines.len():03}", manager = locks, guard = lock)]
async fn expressions(locks: &LockManager, order: Order) -> Result<(LockKey, Order), LockError> {
    Ok((lock.key().clone(), order))
}

#[distributed_lock(key = "{{{user_id:04}}}:{SHARD}:{REGION}:{u8::MAX}:{N}", manager = locks, guard = lock)]
async fn everything<const N: usize>(locks: &LockManager, user_id: u64) -> Result<LockKey, LockError> {
    Ok(lock.key().clone())
}

#[distributed_lock(key = "text:{quoted(\"a:{b}\")}:{r#type}", manager = locks, guard = lock)]
async fn texts(locks: &LockManager, r#type: &str) -> Result<LockKey, LockError> {
    Ok(lock.key().clone())
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

#[distributed_lock(key = "name:{name(user_id).await}:{name(user_id).await}", manager = locks, guard = lock)]
async fn awaited(locks: &LockManager, user_id: u64) -> Result<LockKey, LockError> {
    Ok(lock.key().clone())
}

async fn name(user_id: u64) -> String {
    tokio::task::yield_now().await;
    format!("u{user_id}")
}

#[distributed_lock(key = key_of(&order), manager = locks, guard = lock)]
async fn computed(locks: &LockManager, order: Order) -> Result<(LockKey, String), LockError> {
    Ok((lock.key().clone(), order.buyer))
}

fn key_of(order: &Order) -> String {
    format!("order:{}", order.id)
}

#[distributed_lock(keys = ["order:{order.id}", "buyer:{order.buyer}", key_of(order)], manager = locks, guard = lock)]
async fn listed(locks: &LockManager, order: &Order) -> Result<Vec<LockKey>, LockError> {
    Ok(lock.keys().cloned().collect())
}

#[distributed_lock(keys = order.lines.iter().map(|line| format!("stock:{line}")), manager = locks, guard = lock)]
async fn mapped(locks: &LockManager, order: Order) -> Result<(Vec<LockKey>, Order), LockError> {
    Ok((lock.keys().cloned().collect(), order))
}

#[tokio::test]
async fn a_template_is_filled_from_arguments_fields_calls_and_constants() {
    let locks = LockManager::in_process();
    assert_eq!(fixed(&locks).await.unwrap().as_str(), "job:settlement");
    assert_eq!(argument(&locks, 42).await.unwrap().as_str(), "balance:user:42");
    assert_eq!(everything::<5>(&locks, 42).await.unwrap().as_str(), "{0042}:eu:west:255:5");
    assert_eq!(texts(&locks, "raw").await.unwrap().as_str(), "text:'a:{b}':raw");
}

#[tokio::test]
async fn a_key_that_awaits_leaves_the_future_send() {
    let locks = LockManager::in_process();
    let key = tokio::spawn(async move { awaited(&locks, 42).await }).await.unwrap().unwrap();
    assert_eq!(key.as_str(), "name:u42:u42");
}

#[tokio::test]
async fn a_question_mark_in_a_key_ends_the_call() {
    #[distributed_lock(key = "user:{user_id?}", manager = locks, guard = lock)]
    async fn maybe(locks: &LockManager, user_id: Option<u64>) -> Option<LockKey> {
        Some(lock.key().clone())
    }

    let locks = LockManager::in_process();
    assert_eq!(maybe(&locks, None).await, None);
    assert_eq!(maybe(&locks, Some(3)).await.unwrap().as_str(), "user:3");
}

#[tokio::test]
async fn the_key_is_made_before_the_body_moves_what_it_is_made_of() {
    let locks = LockManager::in_process();
    let (key, order) = expressions(&locks, order()).await.unwrap();
    assert_eq!(key.as_str(), "order:7:ada:004");
    assert_eq!(computed(&locks, order).await.unwrap().0.as_str(), "order:7");
}

#[tokio::test]
async fn several_keys_come_from_a_list_or_an_expression() {
    let locks = LockManager::in_process();
    let keys = listed(&locks, &order()).await.unwrap();
    assert_eq!(keys, ["buyer:ada", "order:7"].map(|key| LockKey::new(key).unwrap()));
    let (keys, order) = mapped(&locks, order()).await.unwrap();
    assert_eq!(keys, ["stock:1", "stock:2", "stock:3"].map(|key| LockKey::new(key).unwrap()));
    let none = mapped(&locks, Order { lines: vec![], ..order }).await.map(drop).unwrap_err();
    assert!(matches!(none, LockError::InvalidKey(InvalidKey::NoKeys)), "{none}");
}

#[tokio::test]
async fn a_key_that_turns_out_invalid_is_an_error_and_the_body_does_not_run() {
    #[distributed_lock(key = "{name}", manager = locks)]
    async fn named(locks: &LockManager, name: &str) -> Result<(), LockError> {
        panic!("the body ran for {name:?}");
    }

    let locks = LockManager::in_process();
    for (name, expected) in [("", InvalidKey::Empty), ("a\nb", InvalidKey::ControlCharacter)] {
        let error = named(&locks, name).await.unwrap_err();
        assert!(matches!(&error, LockError::InvalidKey(reason) if *reason == expected), "{name:?}: {error}");
    }
}

#[tokio::test]
async fn one_key_excludes_and_two_do_not() {
    #[distributed_lock(key = "user:{user_id}", wait = "0s", manager = locks)]
    async fn meet(locks: &LockManager, user_id: u64, barrier: &tokio::sync::Barrier) -> Option<()> {
        barrier.wait().await;
        Some(())
    }

    let (locks, two) = (LockManager::in_process(), tokio::sync::Barrier::new(2));
    assert_eq!(tokio::join!(meet(&locks, 1, &two), meet(&locks, 2, &two)), (Some(()), Some(())));
    let (second, outside) = tokio::join!(meet(&locks, 1, &two), async {
        let refused = meet(&locks, 1, &two).await;
        two.wait().await;
        refused
    });
    assert_eq!((second, outside), (Some(()), None));
}
