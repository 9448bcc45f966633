//! Whose turn it is.
use super::*;
use futures::FutureExt as _;

/// Takes a place that is free at once.
#[track_caller]
fn taken(places: &Places, user: &str) -> Place {
    places.take(user).now_or_never().unwrap().unwrap()
}

fn is_empty(places: &Places) -> bool {
    let state = places.0.state();
    state.under_way == 0 && state.users.is_empty() && state.next.is_empty()
}

#[tokio::test]
async fn a_user_with_few_goes_before_one_with_many() {
    let places = Places::new(2, 0);
    let held = [taken(&places, "flood"), taken(&places, "flood")];
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = Vec::new();
    for user in ["flood", "flood", "flood", "quiet", "other", "quiet"] {
        let (places, order) = (places.clone(), order.clone());
        waiting.push(tokio::spawn(async move {
            let _place = places.take(user).await.unwrap();
            order.lock().unwrap().push(user);
            tokio::task::yield_now().await;
        }));
        tokio::task::yield_now().await;
    }
    let [one, other] = held;
    drop(one);
    for each in waiting {
        each.await.unwrap();
    }
    drop(other);
    assert_eq!(*order.lock().unwrap(), ["quiet", "other", "quiet", "flood", "flood", "flood"]);
    assert!(is_empty(&places));
}

#[tokio::test]
async fn a_user_has_a_bound_and_a_queue() {
    let places = Places::new(0, 2);
    let held = [taken(&places, "jane"), taken(&places, "jane")];
    let mut waiting: Vec<_> = (0..2 * WAITING).map(|_| Box::pin(places.take("jane"))).collect();
    assert!(waiting.iter_mut().all(|each| each.now_or_never().is_none()));
    let full = places.take("jane").now_or_never().unwrap().err();
    assert_eq!(full, Some(Full { under_way: 2, waiting: 2 * WAITING }));
    drop(taken(&places, "john"));
    drop(held);
    for each in waiting {
        drop(each.await.unwrap());
    }
    assert!(is_empty(&places));
}

#[tokio::test]
async fn who_goes_away_while_waiting_leaves_nothing() {
    let places = Places::new(1, 1);
    let held = taken(&places, "jane");
    let mut gone: Vec<_> = ["jane", "john", "jane"].map(|user| Box::pin(places.take(user))).into();
    assert!(gone.iter_mut().all(|each| each.now_or_never().is_none()));
    drop(gone);
    drop(held);
    assert!(is_empty(&places));
    drop(taken(&places, "john"));
    assert!(is_empty(&places));
}
