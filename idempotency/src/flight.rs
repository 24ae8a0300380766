use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    Fingerprint, KeyId,
    store::{ClaimOutcome, StoredResponse},
};

/// When to ask again about work that outlasted the wait.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The requests that this process has under way, one per key.
///
/// Repeats that arrive meanwhile wait here, in memory: they hold no connection and ask nobody.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<KeyId, watch::Receiver<Option<Landing>>>>,
}

/// What a request left for those who waited for it.
#[derive(Debug, Clone)]
pub(crate) struct Landing {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) response: StoredResponse,
}

/// How a request's wait for its turn ended.
pub(crate) enum Turn<'a> {
    /// Nobody else is at work on this key.
    Lead(Lead<'a>),
    /// Somebody was, and left a response.
    Landed(Landing),
    /// Somebody still is.
    TimedOut,
}

impl Flights {
    /// Waits until this request is the only one for `id`, or is answered, or `deadline` has come.
    pub(crate) async fn enter(&self, id: KeyId, deadline: Instant) -> Turn<'_> {
        loop {
            let mut ahead = match self.under_way.lock().entry(id) {
                Entry::Vacant(vacant) => {
                    let (sender, receiver) = watch::channel(None);
                    vacant.insert(receiver);
                    return Turn::Lead(Lead { flights: self, id, sender });
                }
                Entry::Occupied(occupied) => occupied.get().clone(),
            };
            let landed = timeout_at(deadline, ahead.wait_for(Option::is_some)).await;
            match landed.map(|landing| landing.ok().and_then(|landing| landing.clone())) {
                Ok(Some(landing)) => return Turn::Landed(landing),
                // It ended without a response: one of those who waited takes its place.
                Ok(None) => {}
                Err(_) => return Turn::TimedOut,
            }
        }
    }
}

/// The right to work on a key. Dropping it lets the next request have a go.
pub(crate) struct Lead<'a> {
    flights: &'a Flights,
    id: KeyId,
    sender: watch::Sender<Option<Landing>>,
}

impl Lead<'_> {
    /// Answers everybody who waits.
    pub(crate) fn land(self, landing: Landing) {
        self.sender.send_replace(Some(landing));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        // Before the sender goes: who is woken by its end must find the place free.
        self.flights.under_way.lock().remove(&self.id);
    }
}

impl Landing {
    /// Says what it means for a request with `fingerprint`.
    pub(crate) fn verdict<T>(self, fingerprint: &Fingerprint) -> ClaimOutcome<T> {
        if self.fingerprint.contradicts(fingerprint) {
            ClaimOutcome::Mismatch
        } else {
            ClaimOutcome::Replay(self.response)
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;
    use crate::Payload;

    const ID: KeyId = KeyId::from_bytes([7; 32]);

    fn landing() -> Landing {
        Landing {
            fingerprint: Fingerprint::from_parts(0, [0; 32]),
            response: StoredResponse::Success(Payload::from(b"done".to_vec())),
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_get_the_response() {
        let flights = Flights::default();
        let Turn::Lead(lead) = flights.enter(ID, soon()).await else { panic!("nobody is ahead") };
        let twin = async { matches!(flights.enter(ID, soon()).await, Turn::Landed(_)) };
        let (landed, ()) = tokio::join!(twin, async { lead.land(landing()) });
        assert!(landed);
        assert!(flights.under_way.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_those_who_wait_takes_over_without_a_response() {
        let flights = Flights::default();
        let Turn::Lead(lead) = flights.enter(ID, soon()).await else { panic!("nobody is ahead") };
        let twin = async || match flights.enter(ID, soon()).await {
            Turn::Lead(lead) => {
                sleep(Duration::from_millis(1)).await;
                lead.land(landing());
                true
            }
            Turn::Landed(_) => false,
            Turn::TimedOut => panic!("the place was free"),
        };
        let give_up = async {
            sleep(Duration::from_millis(1)).await;
            drop(lead);
        };
        let (one_led, other_led, ()) = tokio::join!(twin(), twin(), give_up);
        assert!(one_led ^ other_led);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_beyond_the_deadline() {
        let flights = Flights::default();
        let Turn::Lead(_lead) = flights.enter(ID, soon()).await else { panic!("nobody is ahead") };
        assert!(matches!(flights.enter(ID, soon()).await, Turn::TimedOut));
        assert!(matches!(flights.enter(KeyId::from_bytes([8; 32]), soon()).await, Turn::Lead(_)));
    }
}
