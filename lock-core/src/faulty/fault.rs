use std::time::Duration;

/// What happens to a command on its way to a backend and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackendFault {
    /// It is carried out at once; the reply takes so much longer. Zero lets other tasks run once before it comes.
    SlowReply(Duration),
    /// It is carried out later by so much, even if the caller has given up by then; other commands overtake it.
    SlowCommand(Duration),
    /// It is not carried out; the caller is told that the backend is unavailable.
    CutBefore,
    /// It is carried out, but the reply is lost: the caller is told that the backend is unavailable.
    CutAfter,
    /// It is carried out twice, the second time later by so much; the caller gets the first reply.
    Repeat(Duration),
}
