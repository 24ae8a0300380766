use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::backend::{BackendError, BackendFuture, CancelRequest, ReleaseReply, ReleaseRequest};
use crate::error::ReleaseError;
use crate::front::effects::Command;
use crate::front::key_state::Context;
use crate::front::unanswered::Unanswered;
use crate::front::{Front, Hold, jitter};

/// What the first try of a release came to.
type Outcome = Result<ReleaseReply, BackendError>;

/// The first pause before a release is sent again; doubled up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

impl Front {
    /// Ends a turn without waiting for anything.
    pub(super) fn release(self: &Arc<Self>, hold: &Hold) {
        let (key, ticket, token) = (hold.key(), hold.term.ticket, hold.token);
        // Effects are large, and most turns have none; nor do most need to know the time.
        let mut effects = None;
        let ((), due) = self.states.with(key, |key, state| {
            if !state.end_turn_at_once(self, ticket, token) {
                let cx = Context { front: self, key, now: Instant::now() };
                effects = Some(state.end_turn(&cx, ticket, token).1);
            }
        });
        if let Some(due) = due {
            self.alarm.ring_by(due);
        }
        if let Some(effects) = effects {
            self.carry_out(effects);
        }
    }

    /// Ends a turn at once; the future waits until the backend has confirmed it, which it need not when the next local
    /// turn has begun.
    pub(super) fn release_confirmed(
        self: &Arc<Self>,
        hold: &Hold,
    ) -> impl Future<Output = Result<(), ReleaseError>> + Send + use<> {
        let (held, command) = self.with_key(hold.key(), |state, cx| {
            let (held, mut effects) = state.end_turn(cx, hold.term.ticket, hold.token);
            let command = effects.command.take();
            ((held, command), effects)
        });
        let key = hold.key().clone();
        let reported = match command {
            Some(Command::Release { request, until }) => {
                let (report, reported) = oneshot::channel();
                issue(self, request, until, Some(report));
                Some(reported)
            }
            Some(other) => {
                self.issue(other);
                None
            }
            None => None,
        };
        async move {
            let outcome = match reported {
                Some(reported) => reported.await.ok(),
                None => None,
            };
            match outcome {
                _ if !held => Err(ReleaseError::Lost { key }),
                Some(Ok(ReleaseReply::Lost)) => Err(ReleaseError::Lost { key }),
                Some(Err(source)) => Err(ReleaseError::Unconfirmed { key, source }),
                _ => Ok(()),
            }
        }
    }
}

/// Sends a release, again and again until it is confirmed or `until`; what it came to within the front's patience is
/// reported.
pub(super) fn issue(
    front: &Arc<Front>,
    request: ReleaseRequest,
    until: Instant,
    report: Option<oneshot::Sender<Outcome>>,
) {
    let requeued = request.requeue.map(|requeue| Unanswered::new(front, request.key.clone(), requeue.ticket));
    let reply = front.backend.release(request.clone());
    if report.is_some() {
        // Somebody waits for it, so it must not depend on when another caller's task is run.
        match reply.now() {
            Ok(outcome) if !is_transient(&outcome) => settle(front, &request, outcome, requeued, report),
            Ok(outcome) => {
                let reply = BackendFuture::ready(outcome);
                front.spawn(insist(Arc::clone(front), request, reply, until, requeued, report));
            }
            Err(reply) => front.spawn(insist(Arc::clone(front), request, reply, until, requeued, report)),
        }
        return;
    }
    // Most releases are dropped guards: they need no task unless something fails.
    let under_way = front.tasks.token();
    let (here, there) = (front, Arc::clone(front));
    reply.follow(
        |task| here.spawn(task),
        move |outcome| {
            if is_transient(&outcome) {
                let reply = BackendFuture::ready(outcome);
                there.spawn(insist(Arc::clone(&there), request, reply, until, requeued, None));
            } else {
                settle(&there, &request, outcome, requeued, None);
            }
            drop(under_way);
        },
    );
}

async fn insist(
    front: Arc<Front>,
    mut request: ReleaseRequest,
    mut reply: BackendFuture<ReleaseReply>,
    until: Instant,
    mut requeued: Option<Unanswered>,
    mut report: Option<oneshot::Sender<Outcome>>,
) {
    let began = Instant::now();
    let mut pause = PAUSE_FIRST;
    let mut failure = None;
    loop {
        let mut outcome = reply.await;
        let again = is_transient(&outcome) && Instant::now() + pause < until;
        if let (Ok(ReleaseReply::Lost), Some(failure)) = (&outcome, &failure) {
            // The command before may have been carried out, and only its reply lost.
            outcome = Err(BackendError::clone(failure));
        }
        let patient = again && began.elapsed() < front.config.patience;
        failure = failure.or_else(|| outcome.as_ref().err().cloned());
        let report = if patient { None } else { report.take() };
        settle(&front, &request, outcome, requeued.take(), report);
        if !again {
            return;
        }
        // The new ticket was told of the failure and asks for itself. It may have used tokens by then.
        request.requeue = None;
        request.spare = 0;
        sleep(jitter(pause)).await;
        pause = PAUSE_MAX.min(pause * 2);
        reply = front.backend.release(request.clone());
    }
}

fn is_transient(outcome: &Outcome) -> bool {
    outcome.as_ref().is_err_and(BackendError::is_transient)
}

fn settle(
    front: &Arc<Front>,
    request: &ReleaseRequest,
    outcome: Outcome,
    requeued: Option<Unanswered>,
    report: Option<oneshot::Sender<Outcome>>,
) {
    if let (Some(requeue), Some(unanswered)) = (&request.requeue, requeued) {
        match &outcome {
            Ok(ReleaseReply::Requeued(reply)) => unanswered.answer(Ok(*reply)),
            // Not requeued: the new ticket asks for itself.
            Ok(ReleaseReply::Released | ReleaseReply::Lost) => {
                unanswered.forget();
                let ask =
                    crate::backend::AcquireRequest::new(request.key.clone(), requeue.ticket, requeue.lease);
                front.issue(Command::Acquire(ask.block(requeue.block)));
            }
            Err(error) => unanswered.answer(Err(error.clone())),
        }
    }
    if let Some(report) = report {
        let _ = report.send(outcome);
    }
}

/// Sends a cancellation, again and again until it is confirmed or `until`.
pub(super) fn issue_cancel(front: &Arc<Front>, request: CancelRequest, until: Instant) {
    let mut reply = match front.backend.cancel(request.clone()).now() {
        Ok(Ok(())) => return,
        Ok(Err(error)) => BackendFuture::ready(Err(error)),
        Err(reply) => reply,
    };
    let backend = Arc::clone(&front.backend);
    front.spawn(async move {
        let mut pause = PAUSE_FIRST;
        while reply.await.is_err_and(|error| error.is_transient()) && Instant::now() + pause < until {
            sleep(jitter(pause)).await;
            pause = PAUSE_MAX.min(pause * 2);
            reply = backend.cancel(request.clone());
        }
    });
}
