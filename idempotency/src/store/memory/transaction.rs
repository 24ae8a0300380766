/// What stands in for a transaction where there is no database.
///
/// Nothing can be undone here: work that fails after it has changed something leaves the change behind.
#[derive(Debug)]
#[non_exhaustive]
pub struct MemoryTransaction {}

impl MemoryTransaction {
    pub(crate) const fn new() -> Self {
        Self {}
    }
}
