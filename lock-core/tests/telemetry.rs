//! What locks tell about themselves is what `docs/telemetry.md` says, no more and no less.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lock_core::{
    AcquireReply, AcquireRequest, BackendError, BackendErrorKind, BackendEvents, BackendFuture,
    CancelRequest, InProcessBackend, LockBackend, LockManager, LockOptions, NodeId, ReleaseReply,
    ReleaseRequest, RenewReply, RenewRequest,
};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

const DOCUMENT: &str = include_str!("../../docs/telemetry.md");
const PATTERN: &str = "secret:{id}";
const KEY: &str = "secret:4711";

/// Name, kind and labels.
type Metric = (String, &'static str, BTreeSet<String>);

/// Name and level of a span, or level and message of an event, and its fields.
type Telling = (String, String, BTreeSet<String>);

#[derive(Clone, Default)]
struct Seen {
    metrics: Arc<Mutex<BTreeSet<Metric>>>,
    label_values: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
    /// Name, level, fields declared.
    spans: Arc<Mutex<BTreeSet<Telling>>>,
    /// Fields of spans that were ever filled in.
    filled: Arc<Mutex<BTreeSet<(String, String)>>>,
    /// Level, message and fields.
    events: Arc<Mutex<BTreeSet<Telling>>>,
    gauges: Arc<Mutex<BTreeMap<String, Arc<metrics::atomics::AtomicU64>>>>,
}

impl Seen {
    fn metric(&self, key: &Key, kind: &'static str) {
        let labels = key.labels().map(|label| label.key().to_owned()).collect();
        self.metrics.lock().unwrap().insert((key.name().to_owned(), kind, labels));
        let mut values = self.label_values.lock().unwrap();
        for label in key.labels() {
            values.entry(label.key().to_owned()).or_default().insert(label.value().to_owned());
        }
    }
}

impl Recorder for Seen {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.metric(key, "counter");
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.metric(key, "gauge");
        let mut gauges = self.gauges.lock().unwrap();
        Gauge::from_arc(Arc::clone(gauges.entry(key.name().to_owned()).or_default()))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.metric(key, "histogram");
        Histogram::noop()
    }
}

#[derive(Default)]
struct Fields {
    names: BTreeSet<String>,
    message: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.names.insert(field.name().to_owned());
        }
    }
}

impl<S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &tracing::span::Attributes<'_>, _: &tracing::Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if !metadata.target().starts_with("lock_core") {
            return;
        }
        let declared = metadata.fields().iter().map(|field| field.name().to_owned()).collect();
        let level = metadata.level().to_string().to_lowercase();
        self.spans.lock().unwrap().insert((metadata.name().to_owned(), level, declared));
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let name = metadata.name();
        let filled = fields.names.into_iter().map(|field| (name.to_owned(), field));
        self.filled.lock().unwrap().extend(filled);
    }

    fn on_record(&self, id: &tracing::Id, record: &tracing::span::Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        record.record(&mut fields);
        let name = context.span(id).unwrap().name();
        let filled = fields.names.into_iter().map(|field| (name.to_owned(), field));
        self.filled.lock().unwrap().extend(filled);
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().starts_with("lock_core") {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = event.metadata().level().to_string().to_lowercase();
        self.events.lock().unwrap().insert((level, fields.message, fields.names));
    }
}

/// A backend that is away.
struct Away;

fn away<T>() -> BackendFuture<T> {
    BackendFuture::ready(Err(BackendError::new(BackendErrorKind::Rejected, "away")))
}

impl LockBackend for Away {
    fn attach(&self, _: NodeId, _: Arc<dyn BackendEvents>) {}
    fn detach(&self, _: NodeId) {}
    fn acquire(&self, _: AcquireRequest) -> BackendFuture<AcquireReply> {
        away()
    }
    fn release(&self, _: ReleaseRequest) -> BackendFuture<ReleaseReply> {
        away()
    }
    fn renew(&self, _: Vec<RenewRequest>) -> BackendFuture<RenewReply> {
        away()
    }
    fn cancel(&self, _: CancelRequest) -> BackendFuture<()> {
        away()
    }
    fn name(&self) -> &'static str {
        "away"
    }
}

/// Lets everything happen that has a metric, a span or an event of its own.
async fn everything() {
    let backend: Arc<dyn LockBackend> = Arc::new(InProcessBackend::new());
    let options = LockOptions::new().pattern(PATTERN).lease(Duration::from_secs(10));
    let make = || LockManager::builder().defaults(options).max_waiters(1).backend(Arc::clone(&backend));
    let (one, two) = (make(), make());
    let locks = |locks: &LockManager| locks.clone();

    // request, and a caller who does not wait for a busy key; then local, and one too many in the queue.
    let guard = one.lock(KEY).options(options).acquire().await.unwrap();
    assert!(one.lock(KEY).options(options).try_acquire().await.unwrap().is_none());
    let waiting = tokio::spawn({
        let one = locks(&one);
        async move { one.lock(KEY).options(options).acquire().await.unwrap() }
    });
    tokio::task::yield_now().await;
    one.lock(KEY).options(options).acquire().await.unwrap_err();
    drop(guard);
    let guard = waiting.await.unwrap();
    // direct
    let waiting = tokio::spawn({
        let two = locks(&two);
        async move { two.lock(KEY).options(options).acquire().await.unwrap() }
    });
    tokio::task::yield_now().await;
    drop(guard);
    drop(waiting.await.unwrap());
    // retained
    let retained = options.retain(Duration::from_secs(60));
    drop(one.lock(KEY).options(retained).acquire().await.unwrap());
    drop(one.lock(KEY).options(options).acquire().await.unwrap());
    // reentrant, inside of a run
    let inner = locks(&one);
    let outcome =
        one.lock(KEY).options(options).run(async |_| inner.lock(KEY).options(options).acquire().await);
    outcome.await.unwrap().unwrap_err();
    // lost, by force
    let thief = locks(&two);
    let outcome = one.lock(KEY).options(options).run(async |_| {
        let held = thief.inspect().show(KEY).await.unwrap().unwrap();
        thief.inspect().release(KEY, held.owner).await.unwrap();
        std::future::pending::<()>().await;
    });
    outcome.await.unwrap_err();
    // invalid, unavailable, shut down
    one.lock("").options(options).acquire().await.unwrap_err();
    let nowhere = LockManager::builder().backend(Arc::new(Away));
    nowhere.lock(KEY).options(options).acquire().await.unwrap_err();
    one.shutdown().await;
    one.lock(KEY).options(options).acquire().await.unwrap_err();
}

/// Runs [`everything`] and answers what was seen.
async fn watch() -> Seen {
    let seen = Seen::default();
    let _tracing = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    let _metrics = metrics::set_default_local_recorder(&seen);
    everything().await;
    seen.clone()
}

/// The rows of the table whose head begins with these cells; a cell's names in backquotes.
fn table(head: &[&str]) -> Vec<Vec<Vec<String>>> {
    let head = format!("| {} |", head.join(" | "));
    let after = DOCUMENT.split_once(&head).unwrap().1;
    let rows = after.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(names).collect()).collect()
}

fn names(cell: &str) -> Vec<String> {
    if !cell.contains('`') {
        return vec![cell.trim().to_owned()];
    }
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn set(names: &[String]) -> BTreeSet<String> {
    names.iter().cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn every_metric_is_documented_and_emitted() {
    let seen = watch().await;
    let documented: BTreeSet<_> = table(&["metric", "kind", "unit", "labels", "meaning"])
        .into_iter()
        .map(|row| (row[0][0].clone(), row[1][0].clone(), set(&row[3])))
        .collect();
    let emitted: BTreeSet<_> = seen.metrics.lock().unwrap().clone();
    let emitted = emitted.into_iter().map(|(name, kind, labels)| (name, kind.to_owned(), labels));
    assert_eq!(emitted.collect::<BTreeSet<_>>(), documented);
}

#[tokio::test(start_paused = true)]
async fn every_label_value_is_documented_and_no_label_is_a_key() {
    let seen = watch().await;
    let values = seen.label_values.lock().unwrap().clone();
    assert!(!values.values().flatten().any(|value| value.contains("4711")), "{values:?}");
    assert_eq!(values["key"], BTreeSet::from([PATTERN.to_owned()]));
    let column =
        |head: &[&str]| table(head).into_iter().map(|row| row[0][0].clone()).collect::<BTreeSet<_>>();
    assert_eq!(values["handover"], column(&["`handover`", "how the turn came about"]));
    let mut reasons = column(&["`reason`", "why the lock was not obtained"]);
    assert!(reasons.remove("timeout"), "it has a metric of its own");
    assert_eq!(values["reason"], reasons);
}

#[tokio::test(start_paused = true)]
async fn gauges_return_to_zero() {
    let seen = watch().await;
    for (name, gauge) in seen.gauges.lock().unwrap().iter() {
        let value = f64::from_bits(gauge.load(std::sync::atomic::Ordering::Relaxed));
        assert!(value.abs() < f64::EPSILON, "{name} is {value}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_span_is_documented_and_its_fields_are_filled_in() {
    let seen = watch().await;
    let rows = table(&["span", "level", "fields"]);
    let documented: BTreeSet<_> =
        rows.iter().map(|row| (row[0][0].clone(), row[1][0].clone(), set(&row[2]))).collect();
    assert_eq!(*seen.spans.lock().unwrap(), documented);
    let fields: BTreeSet<_> =
        rows.iter().flat_map(|row| row[2].iter().map(|field| (row[0][0].clone(), field.clone()))).collect();
    assert_eq!(*seen.filled.lock().unwrap(), fields);
}

#[tokio::test(start_paused = true)]
async fn events_have_the_fields_that_are_documented() {
    let seen = watch().await;
    let documented: BTreeSet<_> = table(&["level", "message", "fields"])
        .into_iter()
        .map(|row| (row[0][0].clone(), row[1][0].clone(), set(&row[2])))
        .collect();
    let emitted = seen.events.lock().unwrap().clone();
    assert!(emitted.is_subset(&documented), "{:#?}", emitted.difference(&documented));
    for message in
        ["lock acquired", "lock released", "lock not obtained", "lock lost: the work under it was stopped"]
    {
        assert!(emitted.iter().any(|(_, emitted, _)| emitted == message), "{message}");
    }
}

#[test]
fn every_message_in_the_source_is_documented_and_no_other() {
    let mut sources = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    let mut messages = BTreeSet::new();
    for source in sources {
        for level in ["trace", "debug", "info", "warn", "error"] {
            for call in source.split(&format!("tracing::{level}!(")).skip(1) {
                messages.insert((level.to_owned(), last_literal(call)));
            }
        }
    }
    let documented: BTreeSet<_> = table(&["level", "message", "fields"])
        .into_iter()
        .map(|row| (row[0][0].clone(), row[1][0].clone()))
        .collect();
    assert_eq!(messages, documented);
}

fn collect(directory: &Path, sources: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The last text before the end of the call.
fn last_literal(call: &str) -> String {
    let (mut depth, mut literal, mut last) = (1, None::<String>, String::new());
    let mut characters = call.chars().peekable();
    while let Some(character) = characters.next() {
        match (&mut literal, character) {
            (Some(text), '\\') if characters.peek() == Some(&'\n') => {
                while characters.next_if(|next| next.is_whitespace()).is_some() {}
                let _ = text;
            }
            (Some(_), '"') => last = literal.take().unwrap(),
            (Some(text), other) => text.push(other),
            (None, '"') => literal = Some(String::new()),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    return last;
                }
            }
            (None, _) => {}
        }
    }
    last
}
