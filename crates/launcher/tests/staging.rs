//! From a task to the process that is to be started.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
mod support;

use engine::Artifact;
use launcher::{Launch, PipInstall, stage};
use rstest::rstest;
use serde_json::{Value, json};
use support::Attempt;

const HOSTILE: &str = "{{$}} {{$.inputs.parameters['d']}} \"q\"\n'; rm -rf / $(x) `y` \\";

/// An attempt of a container with this command, with outputs of all types.
fn attempt(command: &[&str], parameters: Value) -> Attempt {
    let env = json!([{"name": "HOME", "value": "/x"}, {"name": "A", "value": "b"}]);
    let container = json!({"image": "i", "command": command, "env": env});
    let outputs = json!({
        "parameters": {
            "text": {"parameterType": "STRING"}, "int": {"parameterType": "NUMBER_INTEGER"},
            "double": {"parameterType": "NUMBER_DOUBLE"}, "flag": {"parameterType": "BOOLEAN"},
            "list": {"parameterType": "LIST"}, "map": {"parameterType": "STRUCT"},
        },
        "artifacts": {"model": {"artifactType": {"schemaTitle": "system.Model"}, "metadata": {"given": 1}}},
    });
    Attempt::with_outputs(container, parameters, outputs)
}

fn launch(attempt: &Attempt) -> Launch {
    attempt.with(stage).unwrap()
}

/// The arguments that a command becomes, with the attempt's folder written as `DIR`.
fn argv(command: &[&str], parameters: Value) -> Result<Vec<String>, String> {
    let mut attempt = attempt(command, parameters);
    let metadata = json!({"rows": 10, "note": HOSTILE}).as_object().cloned().unwrap();
    let artifact = Artifact { name: "a".into(), uri: "/data/a".into(), metadata, ..Artifact::default() };
    attempt.inputs.artifacts.insert("a".into(), vec![artifact]);
    let dir = attempt.dir().display().to_string();
    let launch = attempt.with(stage).map_err(|error| error.to_string())?;
    Ok(launch.argv.iter().map(|argument| argument.replace(&dir, "DIR")).collect())
}

#[rstest]
#[case::plain(&["echo", "a b", ""], json!({}), &["echo", "a b", ""])]
#[case::parameter(&["echo", "<{{$.inputs.parameters['s']}}>"], json!({"s": "x"}), &["echo", "<x>"])]
#[case::double_quotes(&["echo", "{{$.inputs.parameters[\"s\"]}}"], json!({"s": "x"}), &["echo", "x"])]
#[case::default(&["echo", "{{$.inputs.parameters['d']}}"], json!({}), &["echo", "2"])]
#[case::list(&["echo", "{{$.inputs.parameters['l']}}"], json!({"l": [1, "é"]}), &["echo", "[1,\"é\"]"])]
#[case::in_the_program(&["{{$.inputs.parameters['s']}}"], json!({"s": "true"}), &["true"])]
#[case::values_stay(&["echo", "{{$.inputs.parameters['s']}}"], json!({"s": HOSTILE}), &["echo", HOSTILE])]
#[case::two(&["echo", "{{$.inputs.parameters['s']}}{{$.inputs.parameters['d']}}"], json!({"s": "{{$"}), &["echo", "{{$2"])]
#[case::unknown(&["echo", "{{$.inputs.parameters['zz']}} {{$.x}} {{$ {{x}}"], json!({}), &["echo", "{{$.inputs.parameters['zz']}} {{$.x}} {{$ {{x}}"])]
#[case::output_file(&["echo", "{{$.outputs.parameters['text'].output_file}}"], json!({}), &["echo", "DIR/outputs/text"])]
#[case::output_artifact(&["echo", "{{$.outputs.artifacts['model'].uri}} {{$.outputs.artifacts['model'].path}}"], json!({}), &["echo", "DIR/artifacts/model DIR/artifacts/model"])]
#[case::executor_output(&["echo", "{{$.outputs.output_file}}"], json!({}), &["echo", "DIR/artifacts/executor_output.json"])]
#[case::input_artifact(&["echo", "{{$.inputs.artifacts['a'].path}}"], json!({}), &["echo", "/data/a"])]
#[case::metadata(&["echo", "{{$.inputs.artifacts['a'].metadata['rows']}}", "{{$.inputs.artifacts['a'].metadata['note']}}"], json!({}), &["echo", "10", HOSTILE])]
#[case::no_such_part(&["echo", "{{$.inputs.artifacts['a']é}}"], json!({}), &["echo", "{{$.inputs.artifacts['a']é}}"])]
#[case::concat(&["echo", r#"{"Concat": ["<", "{{$.inputs.parameters['s']}}", {"Concat": ["-", "!"]}]}"#], json!({"s": "\"}"}), &["echo", "<\"}-!"])]
#[case::present(&["echo", r#"{"IfPresent": {"InputName": "o", "Then": ["--o", "{{$.inputs.parameters['o']}}"], "Else": ["--none"]}}"#], json!({"o": "x"}), &["echo", "--o", "x"])]
#[case::absent(&["echo", r#"{"IfPresent": {"InputName": "o", "Then": ["--o"], "Else": ["--none"]}}"#], json!({}), &["echo", "--none"])]
#[case::absent_without_else(&["echo", r#"{"IfPresent": {"InputName": "o", "Then": ["--o"]}}"#, "z"], json!({}), &["echo", "z"])]
#[case::present_single(&["echo", r#"{"IfPresent": {"InputName": "a", "Then": {"Concat": ["x", "y"]}}}"#], json!({}), &["echo", "xy"])]
#[case::json_of_the_user(&["echo", r#"{"a": 1}"#], json!({}), &["echo", r#"{"a": 1}"#])]
fn arguments(#[case] command: &[&str], #[case] parameters: Value, #[case] expect: &[&str]) {
    assert_eq!(argv(command, parameters).unwrap(), expect);
}

#[rstest]
#[case::no_command(&[], json!({}), "no command")]
#[case::not_given(&["echo", "{{$.inputs.parameters['o']}}"], json!({}), "\"o\"")]
#[case::artifact_not_given(&["echo", "{{$.inputs.artifacts['b'].uri}}"], json!({}), "\"b\"")]
#[case::zero(&["echo", "{{$.inputs.parameters['s']}}"], json!({"s": "\0"}), "zero byte")]
#[case::long(&["echo", "{{$.inputs.parameters['s']}}"], json!({"s": "x".repeat(1 << 17)}), "131071 bytes")]
#[case::grown(&["echo", &"{{$.inputs.parameters['s']}}".repeat(1000)], json!({"s": "x".repeat(1 << 16)}), "131071 bytes")]
#[case::concat(&["echo", &format!("{{\"Concat\": [{}\"\"]}}", "\"{{$.inputs.parameters['s']}}\",".repeat(1000))], json!({"s": "x".repeat(1 << 16)}), "131071 bytes")]
#[case::many(&["{{$.inputs.parameters['s']}}"; 40], json!({"s": "x".repeat(1 << 16)}), "2000000 bytes")]
fn refused(#[case] command: &[&str], #[case] parameters: Value, #[case] expect: &str) {
    let error = argv(command, parameters).unwrap_err();
    assert!(error.contains(expect), "{error}");
}

#[test]
fn the_executor_input() {
    let mut attempt = attempt(&["echo", "{{$}}"], json!({"s": HOSTILE}));
    let artifact = Artifact { name: "a".into(), uri: "gs://b/a".into(), ..Artifact::default() };
    attempt.inputs.artifacts.insert("a".into(), vec![artifact]);
    let launch = launch(&attempt);
    assert_eq!(serde_json::from_str::<Value>(&launch.argv[1]).unwrap(), launch.executor_input);
    let dir = attempt.dir().display().to_string();
    let file = |name: &str| json!({"outputFile": format!("{dir}/outputs/{name}")});
    let names = ["text", "int", "double", "flag", "list", "map"];
    assert_eq!(
        launch.executor_input,
        json!({
            "inputs": {
                "parameterValues": {"s": HOSTILE, "d": 2},
                "artifacts": {"a": {"artifacts": [{"name": "a", "uri": "gs://b/a", "metadata": {}, "type": {"schemaTitle": "system.Artifact"}}]}},
            },
            "outputs": {
                "parameters": names.map(|name| (name, file(name))).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
                "artifacts": {"model": {"artifacts": [{
                    "name": "model", "uri": format!("{dir}/artifacts/model"), "type": {"schemaTitle": "system.Model"}, "metadata": {"given": 1},
                }]}},
                "outputFile": format!("{dir}/artifacts/executor_output.json"),
            },
        })
    );
    assert!(launch.argv[1].contains("\"d\":2"));
}

#[test]
fn environment_and_folders() {
    let attempt = attempt(&["true"], json!({}));
    let launch = launch(&attempt);
    let dir = attempt.dir().display().to_string();
    let env: Vec<_> = launch.env.iter().map(|(name, value)| format!("{name}={}", value.replace(&dir, "DIR"))).collect();
    let expect = [
        "A=b",
        "HOME=DIR/home",
        "KFP_POD_NAME=run-1-t-1",
        "KFP_POD_UID=run-1-t",
        "KFP_RETRY_INDEX=1",
        "KFP_RUN_ID=run-1",
        "PYTHONUNBUFFERED=1",
        "TMPDIR=DIR/tmp",
        "_KFP_RUNTIME=true",
    ];
    assert_eq!(env, expect);
    assert_eq!(launch.cwd, attempt.file("work"));
    assert!(["work", "home", "tmp", "outputs", "artifacts"].iter().all(|folder| attempt.file(folder).is_dir()));
    assert!(attempt.with(stage).is_err(), "the folder of an attempt is used once");
}

#[rstest]
#[case("..")]
#[case("a/b")]
#[case("")]
#[case("a\0")]
#[case("executor_output.json")]
#[case(&"x".repeat(300))]
fn names_that_are_no_file_names(#[case] name: &str) {
    for outputs in [json!({"parameters": {name: {}}}), json!({"artifacts": {name: {}}})] {
        let attempt = Attempt::with_outputs(json!({"command": ["true"]}), json!({}), outputs);
        assert!(attempt.with(stage).unwrap_err().to_string().contains("name"));
        assert!(!attempt.dir().exists(), "nothing is left behind");
    }
}

#[test]
fn input_files_are_named_for_binding() {
    let mut attempt = attempt(&["true"], json!({}));
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "x").unwrap();
    let mut give = |name: &str, uri: String| {
        let artifact = Artifact { name: name.into(), uri, ..Artifact::default() };
        attempt.inputs.artifacts.entry("a".into()).or_default().push(artifact);
    };
    give("there", home.path().join("file").display().to_string());
    give("absent", home.path().join("absent").display().to_string());
    give("remote", "gs://b/x".into());
    assert_eq!(launch(&attempt).inputs, [home.path().join("file")]);

    std::os::unix::fs::symlink("/etc/passwd", home.path().join("link")).unwrap();
    let mut attempt = self::attempt(&["true"], json!({}));
    let uri = home.path().join("link").display().to_string();
    attempt.inputs.artifacts.insert("a".into(), vec![Artifact { uri, ..Artifact::default() }]);
    assert!(attempt.with(stage).unwrap_err().to_string().contains("neither a file nor a folder"));
}

fn installs(task: &str) -> (Launch, Vec<PipInstall>) {
    let package = spec::Package::parse(include_str!("fixtures/features.yaml")).unwrap();
    let launch = launch(&Attempt::of(&package, task, json!({"name": "x", "text": "x", "n": 1})));
    let installs = launch.packages.clone().map(|packages| packages.installs).unwrap_or_default();
    (launch, installs)
}

#[rstest]
#[case::kfp_alone("greet", &[], &[])]
#[case::packages("table", &["tabulate==0.9.0", "six>=1.16"], &[])]
#[case::venv("venved", &["six"], &[])]
#[case::indexes("indexed", &["six"], &[
    "--index-url", "https://packages.example.test/simple", "--extra-index-url", "https://mirror.example.test/simple",
    "--trusted-host", "packages.example.test",
])]
fn lightweight_components(#[case] task: &str, #[case] requirements: &[&str], #[case] options: &[&str]) {
    let (launch, installs) = installs(task);
    let kfp = installs.last().unwrap();
    assert_eq!(kfp.requirements, ["kfp==2.17.3", "typing-extensions>=3.7.4,<5; python_version<\"3.9\""]);
    assert_eq!(kfp.options.last().unwrap(), "--no-deps");
    assert_eq!(installs.len(), if requirements.is_empty() { 1 } else { 2 });
    if let [first, _] = installs.as_slice() {
        assert_eq!(first.requirements, requirements);
        assert_eq!(first.options, options);
    }
    assert_eq!(launch.argv[..2], ["sh", "-ec"]);
    assert!(launch.argv[2].contains("kfp.dsl.executor_main") && launch.argv[3].contains(&format!("def {task}(")));
    assert_eq!(launch.argv[4], "--executor_input");
    assert_eq!(launch.argv[6..], ["--function_to_execute", task]);
}

#[test]
fn components_without_packages_run_as_they_are() {
    let (launch, installs) = installs("bare");
    assert_eq!((installs.len(), &launch.argv[1]), (0, &"-ec".to_owned()));
    let (launch, _) = self::installs("shout");
    assert_eq!(launch.argv[..3], ["sh", "-c", "printf \"%s\" \"$0 $*\" > \"$1\""]);
    assert_eq!(launch.argv[5..], ["--none", "<x>"]);
}

/// The preamble with other words in the place of its calls of `pip`.
fn preamble(calls: &str) -> String {
    format!(
        "\nif ! [ -x \"$(command -v pip)\" ]; then\n    python3 -m ensurepip || true\nfi\n\n{calls} && \"$0\" \"$@\"\n"
    )
}

#[rstest]
#[case::known("python3 -m pip install six", true)]
#[case::known(
    "PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --pre 'a[b]>=1,!=2' && python3 -m pip install c",
    true
)]
#[case::remote("python3 -m pip install 'git+https://example.test/a/b'", true)]
#[case::nothing("python3 -m pip install", false)]
#[case::other_program("curl x", false)]
#[case::and_more("python3 -m pip install six && touch /x", false)]
#[case::piped("python3 -m pip install six | tee x", false)]
#[case::semicolon("python3 -m pip install six ; touch x", false)]
#[case::semicolon_in_a_word("python3 -m pip install six;touch x", false)]
#[case::background("python3 -m pip install six & touch x", false)]
#[case::unquoted_version("python3 -m pip install six>1", false)]
#[case::lines("python3 -m pip install six &&\npython3 -m pip install 'b>1'", true)]
#[case::expansion("python3 -m pip install \"$(touch x)\"", false)]
#[case::target("python3 -m pip install --target /etc six", false)]
#[case::requirements("python3 -m pip install -r /etc/passwd", false)]
#[case::editable("python3 -m pip install -e .", false)]
#[case::path("python3 -m pip install ./x", false)]
#[case::local("python3 -m pip install 'a @ file:///etc/x'", false)]
#[case::wheel("python3 -m pip install a.whl", false)]
#[case::index("python3 -m pip install --index-url file:///x six", false)]
#[case::index_is_option("python3 -m pip install --index-url --pre six", false)]
#[case::redirect("python3 -m pip install six > x", false)]
#[case::newline("python3 -m pip install six\ntouch x", false)]
fn preambles(#[case] calls: &str, #[case] known: bool) {
    let script = preamble(calls);
    let launch = launch(&attempt(&["sh", "-c", &script, "echo", "x"], json!({})));
    assert_eq!(launch.packages.is_some(), known);
    assert_eq!(launch.argv.len(), if known { 2 } else { 5 });
}
