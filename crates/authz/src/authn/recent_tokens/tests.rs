//! How often it is asked, and for how long an answer counts.
use super::*;
use access::TokenScope;
use futures::future::{BoxFuture, join_all};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

const KEEP: Duration = Duration::from_secs(2);

/// Tokens that are as they are set, a clock, and how often it was asked. `jane` is the one that there is.
#[derive(Default)]
struct World {
    asked: AtomicUsize,
    revoked: AtomicBool,
    revocations: AtomicU64,
    seconds: AtomicI64,
    away: AtomicBool,
}

impl Tokens for World {
    fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::Relaxed)
    }

    fn find<'a>(&'a self, secret: &'a str) -> BoxFuture<'a, Result<Option<KnownToken>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let revoked = self.revoked.load(Ordering::Relaxed);
            tokio::task::yield_now().await;
            if self.away.load(Ordering::Relaxed) {
                return Err(Error::unavailable("the database is away", "gone"));
            }
            let (id, user, groups) = ("t".into(), "jane".into(), Vec::new());
            let token = KnownToken { id, user, groups, scope: TokenScope::default(), expires_at: None, revoked };
            Ok((secret == "jane").then_some(token))
        })
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.seconds.load(Ordering::Relaxed))
    }
}

fn recent(keep: Duration) -> (Arc<World>, RecentTokens) {
    let world = Arc::new(World::default());
    (world.clone(), RecentTokens::new(world.clone(), keep, world))
}

impl World {
    #[track_caller]
    fn was_asked(&self, expect: usize) {
        assert_eq!(self.asked.swap(0, Ordering::Relaxed), expect);
    }
}

/// Whether a token is found that was not revoked.
async fn holds(tokens: &RecentTokens, secret: &str) -> bool {
    tokens.find(secret).await.unwrap().is_some_and(|token| !token.revoked)
}

#[tokio::test]
async fn a_burst_asks_once() {
    let (world, tokens) = recent(KEEP);
    assert!(join_all((0..100).map(|_| holds(&tokens, "jane"))).await.into_iter().all(|holds| holds));
    world.was_asked(1);
    assert!(join_all((0..100).map(|_| holds(&tokens, "guess"))).await.into_iter().all(|holds| !holds));
    world.was_asked(1);
    let (world, tokens) = recent(Duration::ZERO);
    assert!(join_all((0..100).map(|_| holds(&tokens, "jane"))).await.into_iter().all(|holds| holds));
    world.was_asked(100);
}

#[tokio::test]
async fn an_answer_counts_for_a_while() {
    let (world, tokens) = recent(KEEP);
    // What is revoked elsewhere.
    assert!(holds(&tokens, "jane").await);
    world.revoked.store(true, Ordering::Relaxed);
    for (seconds, expect, asked) in [(1, true, 1), (2, false, 1), (3, false, 0)] {
        world.seconds.store(seconds, Ordering::Relaxed);
        assert_eq!(holds(&tokens, "jane").await, expect, "after {seconds} s");
        world.was_asked(asked);
    }
    // A clock that was set back is no reason to trust it for longer.
    world.seconds.store(-10, Ordering::Relaxed);
    assert!(!holds(&tokens, "jane").await);
    world.was_asked(1);
}

#[tokio::test]
async fn what_is_revoked_here_is_refused_at_once() {
    let (world, tokens) = recent(KEEP);
    assert!(holds(&tokens, "jane").await);
    world.revoked.store(true, Ordering::Relaxed);
    world.revocations.store(1, Ordering::Relaxed);
    assert!(!holds(&tokens, "jane").await);
    world.was_asked(2);
}

#[tokio::test]
async fn what_was_asked_before_a_revocation_does_not_count_after_it() {
    let (world, tokens) = recent(KEEP);
    let mut early = Box::pin(tokens.find("jane"));
    assert!(futures::poll!(&mut early).is_pending());
    world.revoked.store(true, Ordering::Relaxed);
    world.revocations.store(1, Ordering::Relaxed);
    // It waits for the one that began before, and does not take its answer.
    let (early, late) = tokio::join!(early, holds(&tokens, "jane"));
    assert!(!early.unwrap().unwrap().revoked && !late);
    assert!(!holds(&tokens, "jane").await);
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let (world, tokens) = recent(KEEP);
    world.away.store(true, Ordering::Relaxed);
    assert_eq!(tokens.find("jane").await.unwrap_err().message(), "the database is away");
    world.away.store(false, Ordering::Relaxed);
    assert!(holds(&tokens, "jane").await);
}

#[tokio::test]
async fn guesses_fill_nothing() {
    let (_, tokens) = recent(KEEP);
    assert!(holds(&tokens, "jane").await);
    for number in 0..2 * MOST {
        assert!(!holds(&tokens, &number.to_string()).await);
    }
    tokens.absent.run_pending_tasks().await;
    assert!(tokens.absent.entry_count() <= MOST && tokens.found.entry_count() <= 1);
}
