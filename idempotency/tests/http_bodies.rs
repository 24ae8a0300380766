//! Bodies that stream, end early, say how long they are, have no end: with and without the header `Idempotency-Key`.

#![allow(clippy::panic, clippy::unwrap_used)]

mod http_support;

use axum::{
    body::Body,
    http::{HeaderMap, Method, Response, StatusCode, header},
};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Limited};
use http_support::{App, Frames, LIMIT, request, trailers};
use idempotency::State;

/// All data of a response, and what comes after it.
async fn read(response: Response<Body>) -> (Vec<u8>, Option<HeaderMap>) {
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned();
    (body.to_bytes().to_vec(), trailers)
}

#[tokio::test]
async fn without_a_key_bodies_without_end_pass_in_both_directions() {
    let app = App::answering(|_| {
        let body = Frames::endless(5);
        Response::new(Body::new(body))
    });
    let (body, polled) = Frames::endless(5).counted();
    let answer = app.send(request(Method::POST, None, body)).await;
    // What the handler reads is what is read.
    assert_eq!((app.seen().frames, polled.frames()), (3, 3));
    let mut answer = answer.into_body();
    for _ in 0..100 {
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap().len(), 5);
    }
}

#[tokio::test]
async fn without_a_key_trailers_and_sizes_pass_in_both_directions() {
    let app = App::answering(|_| Response::new(Body::new(Frames::of(&["abc", "de"]).trailed().told(5))));
    let answer = app.send(request(Method::POST, None, Frames::of(&["ab", "c"]).trailed().told(3))).await;
    let seen = app.seen();
    assert_eq!((seen.data.as_slice(), seen.trailers, seen.exact), (&b"abc"[..], Some(trailers()), Some(3)));
    assert_eq!(answer.body().size_hint().exact(), Some(5));
    assert_eq!(read(answer).await, (b"abcde".to_vec(), Some(trailers())));
}

#[tokio::test]
async fn a_request_body_without_end_is_refused_at_the_limit_and_claims_nothing() {
    let app = App::answering(|_| Response::new(Body::empty()));
    let (body, polled) = Frames::endless(LIMIT / 4 + 1).counted();
    app.is_refused(body, (413, "request-too-large")).await;
    assert_eq!(polled.frames(), 4, "read beyond the limit, or not up to it");
}

#[tokio::test]
async fn a_request_body_that_says_it_is_too_large_is_not_read() {
    let app = App::answering(|_| Response::new(Body::empty()));
    let (body, polled) = Frames::endless(1).told(LIMIT as u64 + 1).counted();
    app.is_refused(body, (413, "request-too-large")).await;
    assert_eq!(polled.frames(), 0);
}

#[tokio::test]
async fn a_request_body_that_a_layer_in_front_finds_too_large_is_refused_as_such() {
    let app = App::answering(|_| Response::new(Body::empty()));
    let limited = Limited::new(Frames::endless(3), 5);
    app.is_refused(Body::new(limited), (413, "request-too-large")).await;
}

#[tokio::test]
async fn a_request_body_that_breaks_off_claims_nothing() {
    let app = App::answering(|_| Response::new(Body::empty()));
    app.is_refused(Frames::of(&["ab"]).broken(), (400, "request-unreadable")).await;
}

#[tokio::test]
async fn a_request_body_of_exactly_the_limit_is_taken_in_frames_of_any_size() {
    for bytes in [1, 7, LIMIT] {
        let app = App::answering(|_| Response::new(Body::empty()));
        let parts = vec!["x".repeat(bytes); LIMIT / bytes];
        let rest = "x".repeat(LIMIT % bytes);
        let parts: Vec<_> = parts.iter().chain([&rest]).map(String::as_str).collect();
        assert_eq!(app.send(request(Method::POST, Some("key"), Frames::of(&parts))).await.status(), 200);
        assert_eq!(app.seen().data.len(), LIMIT);
        // The same bytes are the same request, however they come.
        let whole = "x".repeat(LIMIT);
        let again = app.send(request(Method::POST, Some("key"), Frames::of(&[&whole]))).await;
        assert!(again.headers().contains_key("idempotency-replayed"));
        let other = app.send(request(Method::POST, Some("key"), Frames::of(&[&whole[1..]]))).await;
        assert_eq!(other.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn trailers_of_a_request_with_a_key_are_left_out() {
    let app = App::answering(|_| Response::new(Body::empty()));
    app.send(request(Method::POST, Some("key"), Frames::of(&["ab", "c"]).trailed())).await;
    let seen = app.seen();
    assert_eq!((seen.data.as_slice(), seen.trailers, seen.exact), (&b"abc"[..], None, Some(3)));
}

#[tokio::test]
async fn the_first_answer_has_its_trailers_and_a_repeat_has_the_data_alone() {
    let app = App::answering(|_| {
        let answer = Response::builder().header(header::CONTENT_LENGTH, 5).extension("of the handler's");
        answer.body(Body::new(Frames::of(&["abc", "de"]).trailed())).unwrap()
    });
    let first = app.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
    assert_eq!(first.headers()[header::CONTENT_LENGTH], "5");
    assert_eq!(first.extensions().get(), Some(&"of the handler's"));
    assert_eq!(first.body().size_hint().exact(), Some(5));
    assert_eq!(read(first).await, (b"abcde".to_vec(), Some(trailers())));
    let again = app.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
    // From which a server makes the header.
    assert_eq!(again.body().size_hint().exact(), Some(5));
    assert_eq!(read(again).await, (b"abcde".to_vec(), None));
}

#[tokio::test]
async fn a_response_beyond_the_limit_streams_on_to_the_first_client_and_is_done() {
    for told in [false, true] {
        let parts = ["x".repeat(LIMIT / 2), "y".repeat(LIMIT / 2), "z".repeat(LIMIT)];
        let all = parts.concat().into_bytes();
        let app = App::answering(move |_| {
            let frames = Frames::of(&parts.each_ref().map(String::as_str)).trailed();
            let frames = if told { frames.told(2 * LIMIT as u64) } else { frames };
            Response::builder().status(201).body(Body::new(frames)).unwrap()
        });
        let first = app.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
        assert_eq!(first.status(), 201);
        assert_eq!(first.body().size_hint().exact(), told.then_some(2 * LIMIT as u64));
        // It is done before the first byte goes out.
        let row = app.row().await.unwrap();
        assert!(matches!(row.state, State::Completed(_)), "{row:?}");
        assert_eq!(read(first).await, (all, Some(trailers())));
        app.is_replayed_as(500, "response-too-large").await;
        assert_eq!(app.runs(), 1);
    }
}

#[tokio::test]
async fn a_response_without_end_is_held_up_to_the_limit_and_no_further() {
    let (frames, polled) = Frames::endless(LIMIT / 4 + 1).counted();
    let frames = std::sync::Mutex::new(Some(frames));
    let app = App::answering(move |_| Response::new(Body::new(frames.lock().unwrap().take().unwrap())));
    let first = app.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
    assert!(polled.frames() <= 4, "{} frames", polled.frames());
    let mut body = first.into_body();
    for _ in 0..100 {
        body.frame().await.unwrap().unwrap();
    }
    assert!((95..=105).contains(&polled.frames()), "{} frames", polled.frames());
}

#[tokio::test]
async fn a_response_whose_kept_headers_are_beyond_the_limit_is_done_too() {
    let app = App::answering(|_| {
        Response::builder().header(header::LOCATION, "x".repeat(2 * LIMIT)).body(Body::from("ab")).unwrap()
    });
    let first = app.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
    assert_eq!((first.status(), first.headers()[header::LOCATION].len()), (StatusCode::OK, 2 * LIMIT));
    assert_eq!(read(first).await.0, b"ab");
    app.is_replayed_as(500, "response-too-large").await;
}

#[tokio::test]
async fn a_response_that_breaks_off_leaves_the_key_unknown() {
    let app = App::answering(|_| Response::new(Body::new(Frames::of(&["ab"]).broken())));
    let first = app.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
    assert_eq!(http_support::problem(first).await, (500, "response-broken".to_owned()));
    let again = app.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
    assert_eq!(http_support::problem(again).await, (409, "outcome-unknown".to_owned()));
    assert_eq!(app.runs(), 1);
}

#[tokio::test]
async fn a_response_that_breaks_off_beyond_the_limit_does_so_for_the_first_client() {
    let app =
        App::answering(|_| Response::new(Body::new(Frames::of(&["x".repeat(LIMIT).as_str(), "y"]).broken())));
    let first = app.send(request(Method::POST, Some("key"), Frames::of(&[]))).await;
    let mut body = first.into_body();
    let frames: Vec<Result<Frame<_>, _>> =
        [body.frame().await, body.frame().await, body.frame().await].into_iter().flatten().collect();
    assert!(frames[0].is_ok() && frames[1].is_ok() && frames[2].is_err(), "{frames:?}");
    app.is_replayed_as(500, "response-too-large").await;
}

#[tokio::test]
async fn a_head_request_is_repeated_without_a_body() {
    let app = App::with_layer(
        |layer| layer.methods([Method::HEAD]),
        |_| Response::builder().status(204).header(header::ETAG, "\"1\"").body(Body::empty()).unwrap(),
    );
    for replayed in [false, true] {
        let answer = app.send(request(Method::HEAD, Some("key"), Frames::of(&[]))).await;
        assert_eq!(answer.headers().contains_key("idempotency-replayed"), replayed);
        assert_eq!(
            (answer.status().as_u16(), answer.headers()[header::ETAG].as_bytes()),
            (204, &b"\"1\""[..])
        );
        assert!(answer.body().is_end_stream());
        assert_eq!(read(answer).await, (Vec::new(), None));
    }
    assert_eq!(app.runs(), 1);
}
