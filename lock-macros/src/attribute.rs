/// An attribute of this crate, in the words of its mistakes.
pub(crate) struct Attribute {
    /// As it is written.
    pub(crate) name: &'static str,
    /// What it waits for before the body runs, and what the body has then.
    pub(crate) needs: &'static str,
    /// What a function must return, and why.
    pub(crate) must_return: &'static str,
}

pub(crate) const DISTRIBUTED_LOCK: Attribute = Attribute {
    name: "distributed_lock",
    needs: "the lock",
    must_return: "must be able to say that the lock was not obtained: return `Result<T, E>` with `E: \
                  From<LockError>`, or `Option<T>` to skip the work when the lock is busy",
};

pub(crate) const IDEMPOTENT: Attribute = Attribute {
    name: "idempotent",
    needs: "the key",
    must_return: "must return what is stored and answered again: `Result<T, E>` with `T: Serialize + \
                  DeserializeOwned` and `E: idempotency::Failure`",
};
