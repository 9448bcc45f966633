//! A rule that is absent or wrong stops the build, and the text says which and where.
use std::{fs, path::Path};

#[test]
fn every_mistake_names_its_rpc() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (proto, bad) = (here.join("../../proto"), here.join("tests/bad"));
    let mut compiler = protox::Compiler::new([&bad, &proto]).unwrap();
    compiler.include_imports(true).open_files([bad.join("no_rule.proto")]).unwrap();
    let pool = prost_reflect::DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice()).unwrap();
    let errors = codegen::rules(&pool).unwrap_err();
    let expected = [
        "NoRule in no_rule.proto: has no (bulkhead.access.v1.rule)",
        "NoChecks in no_rule.proto: has a rule without checks",
        "Nowhere in no_rule.proto: has a check that does not say where",
        "NoVerb in no_rule.proto: has a check without verb or resource",
        "TwoVerbs in no_rule.proto: has a check with both verb and verb_field",
        "NotEnum in no_rule.proto: `run_id` is not an enum",
        "NoField in no_rule.proto: `sub.name_space`: bad.v1.Sub has no field `name_space`",
        "NotText in no_rule.proto: `sub.size`: `size` is not a string",
        "List in no_rule.proto: `names`: `names` is not a string",
        "NotList in no_rule.proto: `run_id`: `run_id` is not a list of references",
        "NotKey in no_rule.proto: `run_id`: `run_id` is not a reference key",
        "NoName in no_rule.proto: `title`: bad.v1.Req has no field `title`",
        "Both in no_rule.proto: grants get runs both optionally and not",
        "PublicFalse in no_rule.proto: says `public: false`",
        "PublicAnd in no_rule.proto: says `public` beside another condition",
        "TwoReaches in no_rule.proto: has two checks that say `wherever`",
        "ReachIfHeld in no_rule.proto: says `wherever` of what is not held in a namespace",
        "Upload in no_rule.proto: is client streaming: no field is known before the stream starts",
    ];
    assert_eq!(errors, expected.map(|text| format!("rpc bad.v1.Bad.{text}")));
}

/// The same through the entry point that build.rs calls: nothing is generated, and the text is what cargo prints.
#[test]
fn a_service_without_rules_does_not_build() {
    let dir = tempfile::tempdir().unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let access = "bulkhead/access/v1/access.proto";
    fs::create_dir_all(dir.path().join("proto").join(access).parent().unwrap()).unwrap();
    fs::copy(here.join("../../proto").join(access), dir.path().join("proto").join(access)).unwrap();
    fs::copy(here.join("tests/bad/no_rule.proto"), dir.path().join("proto/no_rule.proto")).unwrap();
    let error = codegen::build(&dir.path().join("proto"), dir.path()).unwrap_err().to_string();
    assert!(error.contains("rpc bad.v1.Bad.NoRule in no_rule.proto: has no (bulkhead.access.v1.rule)"), "{error}");
    assert!(!dir.path().join("protos.rs").exists());
}

#[test]
fn a_syntax_error_has_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.proto"), "syntax = \"proto3\";\nmessage A { string a 1; }\n").unwrap();
    let error = codegen::build(dir.path(), dir.path()).unwrap_err().to_string();
    assert!(error.contains("a.proto:2:22"), "{error}");
}
