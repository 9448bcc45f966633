//! What must not compile: authority made by hand, or turned into authority of another kind.

#[test]
fn authority_cannot_be_forged() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile/control.rs");
    cases.compile_fail("tests/compile/literals.rs");
    cases.compile_fail("tests/compile/constructors.rs");
    cases.compile_fail("tests/compile/minting.rs");
    cases.compile_fail("tests/compile/other_grants.rs");
    cases.compile_fail("tests/compile/copies.rs");
}
