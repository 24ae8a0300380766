/// How a turn came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handover {
    /// The backend granted the key in reply to a request.
    Request,
    /// Another node's release made this node the owner.
    Direct,
    /// Another task of this node gave the key on, in memory.
    Local,
    /// This node had kept the idle key.
    Retained,
}

impl Handover {
    /// The name in logs and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Direct => "direct",
            Self::Local => "local",
            Self::Retained => "retained",
        }
    }
}
