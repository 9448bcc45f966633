//! What whoever watches over the executor hears of runs and tasks.
use domain::RuntimeState;

/// How an attempt of a task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskEnd {
    Succeeded,
    /// The task has failed, or what its pipeline says of it is wrong.
    Failed,
    /// This machine has failed it.
    Infrastructure,
    /// An earlier result did for it.
    Cached,
}

/// Something that has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A run was taken up, for the first time or again.
    RunTakenUp,
    RunEnded(RuntimeState),
    /// A run could not be carried on, and is tried again later.
    RunGivenUp,
    TaskWaits,
    /// It waits no more, since it has its turn or was stopped.
    TaskWaitsNoMore,
    TaskRuns,
    TaskRunsNoMore,
    TaskEnded(TaskEnd),
}

/// Somebody who hears of it. It is called on the way of every task, so it must not block.
pub trait Observe: Send + Sync + 'static {
    fn happened(&self, what: Happened);
}

/// Nobody.
impl Observe for () {
    fn happened(&self, _: Happened) {}
}

/// Tells of an end, however it comes.
pub(super) struct Until<'a> {
    observer: &'a dyn Observe,
    end: Happened,
}

impl<'a> Until<'a> {
    pub(super) fn new(observer: &'a dyn Observe, begin: Happened, end: Happened) -> Self {
        observer.happened(begin);
        Self { observer, end }
    }
}

impl Drop for Until<'_> {
    fn drop(&mut self) {
        self.observer.happened(self.end);
    }
}

impl TaskEnd {
    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Infrastructure => "infrastructure",
            Self::Cached => "cached",
        }
    }
}
