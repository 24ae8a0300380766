use std::{collections::VecDeque, pin::Pin};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;

/// What was read of a body.
pub(super) enum Read<B> {
    /// All of it: it fits into the limit.
    Whole { data: Bytes, trailers: Option<HeaderMap> },
    /// It does not: what was read until that showed, and the body that goes on from there.
    Cut { read: VecDeque<Bytes>, rest: Pin<Box<B>> },
}

/// Reads `body` frame by frame, shows each to `see`, and stops with the first that goes beyond `limit`: at once where
/// the body says how long it is.
pub(super) async fn read<B: Body>(
    body: B,
    limit: usize,
    mut see: impl FnMut(&[u8]),
) -> Result<Read<B>, B::Error> {
    let mut body = Box::pin(body);
    let told = body.size_hint().lower();
    if told > limit as u64 {
        return Ok(Read::Cut { read: VecDeque::new(), rest: body });
    }
    let mut gathered = Gathered::default();
    let mut trailers = None;
    while let Some(frame) = body.frame().await {
        let mut data = match frame?.into_data() {
            Ok(data) => data,
            Err(frame) => {
                trailers = frame.into_trailers().ok();
                continue;
            }
        };
        let data = data.copy_to_bytes(data.remaining());
        if data.len() > limit - gathered.len() {
            let read = [gathered.finish(), data].into_iter().filter(|data| !data.is_empty());
            return Ok(Read::Cut { read: read.collect(), rest: body });
        }
        see(&data);
        gathered.push(data, usize::try_from(told).unwrap_or(0));
    }
    Ok(Read::Whole { data: gathered.finish(), trailers })
}

/// Bytes in a row. A single frame stays as it came; more are copied together, so that none of them keeps the larger
/// buffer alive that it is a part of.
#[derive(Default)]
struct Gathered {
    only: Bytes,
    more: BytesMut,
}

impl Gathered {
    fn len(&self) -> usize {
        self.only.len() + self.more.len()
    }

    /// Takes one more frame of a body that has `told` bytes at least.
    fn push(&mut self, data: Bytes, told: usize) {
        if self.len() == 0 {
            self.only = data;
            return;
        }
        if self.more.is_empty() {
            self.more.reserve(told.max(self.only.len() + data.len()));
            self.more.extend_from_slice(&std::mem::take(&mut self.only));
        }
        self.more.extend_from_slice(&data);
    }

    fn finish(self) -> Bytes {
        if self.more.is_empty() { self.only } else { self.more.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        task::{Context, Poll},
    };

    use http_body::{Frame, SizeHint};

    use super::*;

    /// Frames of so many bytes each, without end, unless `told` says how many bytes there are.
    struct Frames {
        bytes: usize,
        polled: usize,
        told: Option<u64>,
    }

    impl Body for Frames {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let over = self.told.is_some_and(|told| (self.polled * self.bytes) as u64 >= told);
            self.polled += 1;
            Poll::Ready((!over).then(|| Ok(Frame::data(Bytes::from(vec![7; self.bytes])))))
        }

        fn size_hint(&self) -> SizeHint {
            self.told.map(SizeHint::with_exact).unwrap_or_default()
        }
    }

    async fn read_of(frames: Frames, limit: usize) -> (Read<Frames>, usize) {
        let mut seen = 0;
        let Ok(read) = read(frames, limit, |data| seen += data.len()).await;
        (read, seen)
    }

    #[tokio::test]
    async fn a_body_that_fits_is_read_whole() {
        for bytes in [1, 3, 12] {
            let (read, seen) = read_of(Frames { bytes, polled: 0, told: Some(12) }, 12).await;
            let Read::Whole { data, trailers: None } = read else { panic!("it was cut") };
            assert_eq!((&data[..], seen), (&[7; 12][..], 12));
        }
    }

    #[tokio::test]
    async fn a_body_without_end_is_left_with_the_first_frame_beyond_the_limit() {
        let (read, seen) = read_of(Frames { bytes: 5, polled: 0, told: None }, 12).await;
        let Read::Cut { read, rest } = read else { panic!("it has an end") };
        assert_eq!((rest.polled, seen, read.iter().map(Bytes::len).sum::<usize>()), (3, 10, 15));
    }

    #[tokio::test]
    async fn a_body_that_says_it_is_too_long_is_not_begun() {
        let (read, _) = read_of(Frames { bytes: 5, polled: 0, told: Some(13) }, 12).await;
        let Read::Cut { read, rest } = read else { panic!("it was read") };
        assert_eq!((rest.polled, read.len()), (0, 0));
    }
}
