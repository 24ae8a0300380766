use uuid::Uuid;

/// What stands at a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// A value, as JSON.
    Value(Vec<u8>),
    /// Nothing yet; whoever holds this mark is loading it.
    Loading(Mark),
}

/// The mark of one load.
pub(super) type Mark = Uuid;

/// The first byte in Redis says which.
const VALUE: u8 = b'V';
const LOADING: u8 = b'L';

impl Slot {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let (kind, rest) = match self {
            Self::Value(json) => (VALUE, json.as_slice()),
            Self::Loading(mark) => (LOADING, mark.as_bytes().as_slice()),
        };
        std::iter::once(kind).chain(rest.iter().copied()).collect()
    }

    /// `None` for what this release did not write.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&VALUE, json) => Some(Self::Value(json.to_vec())),
            (&LOADING, mark) => Mark::from_slice(mark).ok().map(Self::Loading),
            _ => None,
        }
    }
}
