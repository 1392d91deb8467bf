//! Commits to Kafka, on a thread of their own: a commit waits for the group's coordinator, which may be away, and the loop
//! has to go on polling meanwhile.
//!
//! Requests that wait together travel together. librdkafka calls such a commit failed when any of its partitions was
//! refused, so that each is then sent alone. Answers name the assignment that asked, and come in the order of requests.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Offset, TopicPartitionList};

use super::crash_point::{CrashPoint, reach};
use super::plan::{Commit, metadata};
use crate::source::group::EventConsumer;

/// Most requests that can wait; each partition has at most one, so more partitions than this would wait for each other.
const REQUESTS: usize = 16_384;

/// One partition's commit.
#[derive(Debug, Clone)]
pub struct Request {
    /// Topic.
    pub topic: Arc<str>,
    /// The topic's id at the assignment.
    pub topic_id: Option<Arc<str>>,
    /// Partition.
    pub partition: i32,
    /// The assignment that asks.
    pub epoch: u64,
    /// What to commit.
    pub commit: Commit,
}

/// What became of it.
#[derive(Debug)]
pub struct Answer {
    /// The request.
    pub request: Request,
    /// Kafka's answer.
    pub outcome: Result<(), KafkaError>,
}

/// The thread and the ways to it.
#[derive(Debug)]
pub struct Committer {
    requests: Option<SyncSender<Request>>,
    answers: Receiver<Answer>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(consumer: Arc<EventConsumer>) -> std::io::Result<Self> {
        let (requests, requested) = sync_channel(REQUESTS);
        let (answering, answers) = sync_channel(REQUESTS);
        let thread = std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || serve(&consumer, &requested, &answering))?;
        Ok(Self { requests: Some(requests), answers, thread: Some(thread) })
    }

    /// Asks for a commit; `false` when the thread is gone.
    #[must_use]
    pub fn request(&self, request: Request) -> bool {
        self.requests.as_ref().is_some_and(|requests| requests.try_send(request).is_ok())
    }

    /// The next answer, if there is one.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }

    /// Ends the thread when it is not waiting for Kafka; otherwise it is left behind, for the process ends.
    pub fn stop(mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take().filter(JoinHandle::is_finished)
            && thread.join().is_err()
        {
            tracing::debug!("the commit thread had failed");
        }
    }
}

fn serve(consumer: &EventConsumer, requested: &Receiver<Request>, answering: &SyncSender<Answer>) {
    while let Ok(first) = requested.recv() {
        let mut together = vec![first];
        together.extend(requested.try_iter());
        reach(if together.iter().any(|request| request.commit.plan.is_some()) {
            CrashPoint::PlanSent
        } else {
            CrashPoint::ProgressSent
        });
        let outcome = commit(consumer, &together);
        let alone = outcome.is_err() && together.len() > 1;
        for request in together {
            let outcome = if alone { commit(consumer, std::slice::from_ref(&request)) } else { outcome.clone() };
            if answering.send(Answer { request, outcome }).is_err() {
                return;
            }
        }
    }
}

fn commit(consumer: &EventConsumer, requests: &[Request]) -> KafkaResult<()> {
    let mut offsets = TopicPartitionList::with_capacity(requests.len());
    for Request { topic, topic_id, partition, commit, .. } in requests {
        let mut element = offsets.add_partition(topic, *partition);
        element.set_offset(Offset::Offset(commit.offset))?;
        element.set_metadata(metadata::encode(*commit, topic_id.as_deref()));
    }
    consumer.commit(&offsets, CommitMode::Sync)
}
