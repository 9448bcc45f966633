//! The evaluator against one that is slow and plain.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]
mod draw;
mod naive;

use access::{Identity, Key, PolicyRule, Rbac, RoleBinding, Subject};
use api::access::{Resource, Verb};
use domain::Namespace;
use draw::{Change, Question};
use naive::Naive;
use proptest::prelude::*;

/// What was done to both.
fn apply(changes: &[Change]) -> (Rbac, Naive) {
    let (mut rbac, mut naive) = (Rbac::default(), Naive::default());
    for change in changes {
        change.apply(&mut rbac);
        naive.apply(change);
    }
    (rbac, naive)
}

/// What the value says of everything that is asked.
fn answers(rbac: &Rbac, questions: &[Question]) -> Vec<bool> {
    let ask = |question: &Question| {
        let Question { who, verb, resource, namespace, name } = question;
        let groups: Vec<&str> = who.groups.iter().map(|group| &**group).collect();
        rbac.allows(&Identity::forge(who.user, &groups), *verb, *resource, namespace.as_ref(), name)
    };
    questions.iter().map(ask).collect()
}

/// Who the tenants are, and whose, in an order of their own.
fn tenants(rbac: &Rbac) -> Vec<(Namespace, Vec<String>)> {
    let owned = |user: &str, groups: &[&str], namespace: &Namespace| {
        rbac.owned_by(&Identity::forge(user, groups)).any(|owned| owned == namespace)
    };
    let mut tenants: Vec<_> = rbac
        .tenants()
        .map(|namespace| {
            let users = draw::USERS.iter().filter(|user| owned(user, &[], namespace));
            let groups = draw::GROUPS.iter().filter(|group| owned("nobody", &[group], namespace));
            (namespace.clone(), users.chain(groups).map(|&name| name.to_owned()).collect())
        })
        .collect();
    tenants.sort();
    tenants
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_says_what_the_naive_one_says(
        changes in draw::changes(40),
        questions in prop::collection::vec(draw::question(), 30),
    ) {
        let (rbac, naive) = apply(&changes);
        for (question, answer) in questions.iter().zip(answers(&rbac, &questions)) {
            prop_assert_eq!(answer, naive.allows(question), "{:?}", question);
        }
    }

    #[test]
    fn a_change_is_as_good_as_a_rebuild(
        before in draw::changes(20),
        after in draw::changes(20),
        questions in prop::collection::vec(draw::question(), 30),
    ) {
        let (mut rbac, _) = apply(&before);
        let (old, old_answers) = (rbac.clone(), answers(&rbac, &questions));
        after.iter().for_each(|change| change.apply(&mut rbac));

        let (_, naive) = apply(&[before, after].concat());
        let rebuilt = naive.build();
        prop_assert_eq!(answers(&rbac, &questions), answers(&rebuilt, &questions));
        prop_assert_eq!(tenants(&rbac), tenants(&rebuilt));
        // Whoever still reads the value before reads what it said.
        prop_assert_eq!(answers(&old, &questions), old_answers);
    }

    #[test]
    fn nothing_is_left_when_all_is_taken_back(
        changes in draw::changes(40),
        questions in prop::collection::vec(draw::question(), 30),
    ) {
        let (mut rbac, naive) = apply(&changes);
        naive.undo().iter().for_each(|change| change.apply(&mut rbac));
        for (question, answer) in questions.iter().zip(answers(&rbac, &questions)) {
            prop_assert_eq!(answer, question.who.groups.contains(&"system:masters"), "{:?}", question);
        }
        prop_assert_eq!(tenants(&rbac), []);
        // And what is given again is given once: nothing of before adds to it.
        naive.changes().iter().for_each(|change| change.apply(&mut rbac));
        prop_assert_eq!(answers(&rbac, &questions), answers(&naive.build(), &questions));
    }
}

/// The questions would tell little if nearly all had one answer.
#[test]
fn both_answers_are_frequent() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let strategy = (draw::changes(40), prop::collection::vec(draw::question(), 30));
    let (mut asked, mut allowed) = (0, 0);
    for _ in 0..200 {
        let (changes, questions) = strategy.new_tree(&mut runner).unwrap().current();
        let (rbac, _) = apply(&changes);
        asked += questions.len();
        allowed += answers(&rbac, &questions).into_iter().filter(|&allowed| allowed).count();
    }
    let share = allowed * 100 / asked;
    assert!((10..=90).contains(&share), "{share}% allowed");
}
