use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::read::Read;

pin_project! {
    /// The body of a response that has come through an [`IdempotencyLayer`](super::IdempotencyLayer): the service's
    /// own, or bytes that are in memory.
    pub struct ResponseBody<B> {
        read: VecDeque<Bytes>,
        #[pin]
        rest: Rest<B>,
    }
}

pin_project! {
    #[project = RestProjected]
    enum Rest<B> {
        Passed { #[pin] body: B },
        Boxed { body: Pin<Box<B>> },
        Nothing { trailers: Option<HeaderMap> },
    }
}

impl<B> ResponseBody<B> {
    /// A body that the layer does not look at.
    pub(super) fn passed(body: B) -> Self {
        Self { read: VecDeque::new(), rest: Rest::Passed { body } }
    }

    /// A body that was read, in part or as a whole.
    pub(super) fn again(read: Read<B>) -> Self {
        match read {
            Read::Whole { data, trailers } => {
                let read = if data.is_empty() { VecDeque::new() } else { VecDeque::from([data]) };
                Self { read, rest: Rest::Nothing { trailers } }
            }
            Read::Cut { read, rest } => Self { read, rest: Rest::Boxed { body: rest } },
        }
    }
}

impl<B> From<Bytes> for ResponseBody<B> {
    fn from(data: Bytes) -> Self {
        Self::again(Read::Whole { data, trailers: None })
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if let Some(data) = this.read.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let frame = match this.rest.project() {
            RestProjected::Passed { body } => body.poll_frame(context),
            RestProjected::Boxed { body } => body.as_mut().poll_frame(context),
            RestProjected::Nothing { trailers } => {
                return Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
            }
        };
        let bytes = |frame: Frame<B::Data>| frame.map_data(|mut data| data.copy_to_bytes(data.remaining()));
        frame.map(|frame| frame.map(|frame| frame.map(bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty()
            && match &self.rest {
                Rest::Passed { body } => body.is_end_stream(),
                Rest::Boxed { body } => body.is_end_stream(),
                Rest::Nothing { trailers } => trailers.is_none(),
            }
    }

    fn size_hint(&self) -> SizeHint {
        let rest = match &self.rest {
            Rest::Passed { body } => body.size_hint(),
            Rest::Boxed { body } => body.size_hint(),
            Rest::Nothing { .. } => SizeHint::with_exact(0),
        };
        let read = self.read.iter().map(|data| data.len() as u64).sum::<u64>();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint
    }
}

/// Prints nothing of the body: answers hold what customers bought and own.
impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

/// An empty body.
impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::from(Bytes::new())
    }
}
