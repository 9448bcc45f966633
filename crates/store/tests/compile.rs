//! What must not compile: a query under the wrong right, or under none.

#[test]
fn queries_want_their_own_grant() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile/control.rs");
    cases.compile_fail("tests/compile/wrong_grants.rs");
}
