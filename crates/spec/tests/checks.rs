//! What is refused although every name in it exists, because it is sure to fail: each with its exact message.
#![expect(clippy::expect_used, reason = "tests may panic")]
use rstest::rstest;
use spec::Package;

/// One task in a loop, one that is the loop's items, and a last one; each line can be replaced.
const PIPELINE: &str = r#"
pipelineInfo: {name: checks}
schemaVersion: 2.1.0
deploymentSpec:
  executors:
    exec-train: {container: {image: i, command: [echo]}}
    exec-import: {importer: {artifactUri: {runtimeParameter: uri}, typeSchema: {schemaTitle: system.Model}}}
components:
  comp-train:
    executorLabel: exec-train
    inputDefinitions:
      parameters:
        lr: {parameterType: NUMBER_DOUBLE}
        name: {parameterType: STRING, defaultValue: x}
        mode: {parameterType: STRING, isOptional: true, literals: [fast, slow]}
        on: {parameterType: BOOLEAN, isOptional: true}
        list: {parameterType: LIST, isOptional: true}
        struct: {parameterType: STRUCT, isOptional: true}
        status: {parameterType: TASK_FINAL_STATUS, isOptional: true}
        config: {parameterType: TASK_CONFIG}
      artifacts: {base: {artifactType: {schemaTitle: system.Model}, isOptional: true}}
    outputDefinitions:
      parameters:
        loss: {parameterType: NUMBER_DOUBLE}
        text: {parameterType: STRING}
      artifacts: {model: {artifactType: {schemaTitle: system.Model}}}
  comp-import:
    executorLabel: exec-import
    inputDefinitions: {parameters: {uri: {parameterType: STRING}}}
    outputDefinitions: {artifacts: {artifact: {artifactType: {schemaTitle: system.Model}}}}
  comp-group:
    inputDefinitions: {parameters: {inner: {parameterType: NUMBER_DOUBLE}}}
    outputDefinitions: {parameters: {loss: {parameterType: NUMBER_DOUBLE}}}
    dag:
      outputs: {parameters: {loss: {valueFromParameter: {producerSubtask: train, outputParameterKey: loss}}}}
      tasks:
        train:
          componentRef: {name: comp-train}
          inputs: {parameters: {lr: {componentInputParameter: inner}}}
root:
  inputDefinitions: {parameters: {rates: {parameterType: LIST}, root-lr: {parameterType: NUMBER_INTEGER, defaultValue: 1}}}
  outputDefinitions: {parameters: {best: {parameterType: NUMBER_DOUBLE}}}
  dag:
    outputs:
      parameters:
        best: {valueFromOneof: {parameterSelectors: [{producerSubtask: train, outputParameterKey: loss}, {producerSubtask: last, outputParameterKey: loss}]}}
      artifacts:
        model: {artifactSelectors: [{producerSubtask: train, outputArtifactKey: model}, {producerSubtask: last, outputArtifactKey: model}]}
    tasks:
      import:
        componentRef: {name: comp-import}
        inputs: {parameters: {uri: {runtimeValue: {constant: "s3://bucket/key"}}}}
      train:
        componentRef: {name: comp-train}
        inputs: {parameters: {lr: {componentInputParameter: root-lr}}}
      loop:
        componentRef: {name: comp-group}
        parameterIterator: {itemInput: inner, items: {inputParameter: rates}}
        inputs: {parameters: {rates: {componentInputParameter: rates}}}
      last:
        componentRef: {name: comp-train}
        dependentTasks: [train]
        inputs: {parameters: {lr: {taskOutputParameter: {producerTask: train, outputParameterKey: loss}}}}
"#;

fn with(from: &str, to: &str) -> String {
    assert_eq!(PIPELINE.matches(from).count(), 1, "{from:?} must be there once");
    PIPELINE.replace(from, to)
}

#[track_caller]
fn passes(text: &str) {
    Package::parse(text).expect("it should be taken");
}

#[track_caller]
fn refused(text: &str, message: &str) {
    let error = Package::parse(text).expect_err("it should not be taken");
    assert_eq!(error.code(), domain::Code::InvalidArgument);
    assert_eq!(error.message(), message);
}

const ITERATOR: &str = "{itemInput: inner, items: {inputParameter: rates}}";
const SOURCE: &str = "producerTask: train, outputParameterKey: loss}";
const LAST: &str = "        dependentTasks: [train]\n";

#[rstest]
#[case("checks", "checks")]
#[case(ITERATOR, "{itemInput: inner, items: {raw: '[1, 2]'}}")]
#[case(ITERATOR, "{itemInput: inner, items: {raw: '[]'}}")]
#[case(LAST, "        triggerPolicy: {condition: \"inputs.parameter_values['lr'] == 1\"}\n")]
#[case(
    SOURCE,
    "producerTask: train, outputParameterKey: loss}, parameterExpressionSelector: 'parseJson(string_value)[0]'"
)]
fn what_can_run(#[case] from: &str, #[case] to: &str) {
    passes(&with(from, to));
}

#[rstest]
#[case("{itemInput: inner, items: {raw: '{}'}}", "items.raw: the items are a struct, not a list")]
#[case(
    "{itemInput: inner, items: {raw: '[1'}}",
    "items.raw: the items are not JSON: EOF while parsing a list at line 1 column 2"
)]
#[case(
    "{itemInput: inner, items: {inputParameter: gone}}",
    "items.inputParameter: the task has no input parameter \"gone\""
)]
#[case(
    "{itemInput: inner, items: {inputParameter: rates, raw: '[]'}}",
    "items: one of raw and inputParameter is wanted"
)]
#[case("{itemInput: inner}", "items: one of raw and inputParameter is wanted")]
#[case("{items: {inputParameter: rates}}", "itemInput: the name of the input that an item goes to is wanted")]
#[case("{itemInput: outer, items: {inputParameter: rates}}", "itemInput: the component has no input \"outer\"")]
fn iterators(#[case] iterator: &str, #[case] message: &str) {
    refused(&with(ITERATOR, iterator), &format!("root.dag.tasks.loop.parameterIterator.{message}"));
}

#[rstest]
#[case(
    "{itemInput: base, items: {inputArtifact: gone}}",
    "items.inputArtifact: the task has no input artifact \"gone\""
)]
#[case("{itemInput: lr, items: {inputArtifact: base}}", "itemInput: the component has no input \"lr\"")]
#[case("{items: {inputArtifact: base}}", "itemInput: the name of the input that an item goes to is wanted")]
fn iterators_over_artifacts(#[case] iterator: &str, #[case] message: &str) {
    let text = with(LAST, &format!("        artifactIterator: {iterator}\n"));
    refused(&text, &format!("root.dag.tasks.last.artifactIterator.{message}"));
}

#[rstest]
#[case("a ==")]
#[case("a = b")]
#[case("[1].all(x, x > 0)")]
fn expressions(#[case] expression: &str) {
    for (from, to, place) in [
        (LAST, "        triggerPolicy: {condition: 'EXPRESSION'}\n", "triggerPolicy.condition"),
        (
            SOURCE,
            "producerTask: train, outputParameterKey: loss}, parameterExpressionSelector: 'EXPRESSION'",
            "inputs.parameters.lr.parameterExpressionSelector",
        ),
    ] {
        let why = spec::check_expression(expression).expect_err(expression);
        refused(&with(from, &to.replace("EXPRESSION", expression)), &format!("root.dag.tasks.last.{place}: {why}"));
    }
}

#[test]
fn places_within_components() {
    refused(
        &with("{componentInputParameter: inner}", "{componentInputParameter: gone}"),
        "components.comp-group.dag.tasks.train.inputs.parameters.lr.componentInputParameter: the parent has no input \
         parameter \"gone\"",
    );
}

const GIVEN: &str = "{lr: {componentInputParameter: root-lr}}";

#[rstest]
#[case("lr: {runtimeValue: {constant: 1}}")]
#[case("lr: {runtimeValue: {constant: 0.5}}, name: {runtimeValue: {constant: 3}}")]
#[case("lr: {runtimeValue: {constant: 1}}, name: {runtimeValue: {constant: null}}")]
#[case("lr: {runtimeValue: {constant: 1}}, on: {runtimeValue: {constant: null}}")]
#[case("lr: {runtimeValue: {constant: '{{$.inputs.parameters[1]}}'}}")]
#[case("lr: {runtimeValue: {constant: 1}}, mode: {runtimeValue: {constant: fast}}")]
#[case("lr: {runtimeValue: {constant: 1}}, mode: {runtimeValue: {constant: 'a-{{$.pipeline_job_name}}'}}")]
#[case(
    "lr: {runtimeValue: {constant: 1}}, list: {runtimeValue: {constant: []}}, struct: {runtimeValue: {constant: {}}}"
)]
#[case("lr: {runtimeValue: {constant: text}, parameterExpressionSelector: size(string_value)}")]
#[case("lr: {taskOutputParameter: {producerTask: import-numbers, outputParameterKey: loss}}")]
#[case(
    "lr: {componentInputParameter: root-lr}, name: {componentInputParameter: rates}, list: {componentInputParameter: rates}"
)]
#[case("lr: {componentInputParameter: root-lr}, undeclared: {componentInputParameter: rates}")]
#[case(
    "lr: {componentInputParameter: root-lr}, list: {taskOutputParameter: {producerTask: loop, outputParameterKey: loss}}"
)]
#[case(
    "lr: {componentInputParameter: root-lr}, name: {taskOutputParameter: {producerTask: loop, outputParameterKey: loss}}"
)]
fn inputs_that_fit(#[case] inputs: &str) {
    let text = with(GIVEN, &format!("{{{inputs}}}"));
    passes(&text.replace("producerTask: import-numbers", "producerTask: other").replace(
        "      import:\n",
        "      other:\n        componentRef: {name: comp-train}\n        inputs: {parameters: {lr: {runtimeValue: \
         {constant: 1}}}}\n      import:\n",
    ));
}

#[rstest]
#[case(
    "lr: {runtimeValue: {constant: '1'}}",
    "lr.runtimeValue.constant: type NUMBER_DOUBLE is wanted, but it is a string"
)]
#[case(
    "lr: {runtimeValue: {constant: 'a{{$.x}}'}}",
    "lr.runtimeValue.constant: type NUMBER_DOUBLE is wanted, but it is a string"
)]
#[case(
    "lr: {runtimeValue: {constant: '{{$.x}}{{$.y}}'}}",
    "lr.runtimeValue.constant: type NUMBER_DOUBLE is wanted, but it is a string"
)]
#[case(
    "lr: {runtimeValue: {constant: null}}",
    "lr.runtimeValue.constant: type NUMBER_DOUBLE is wanted, but it is null"
)]
#[case("on: {runtimeValue: {constant: 1}}", "on.runtimeValue.constant: type BOOLEAN is wanted, but it is a number")]
#[case("list: {runtimeValue: {constant: {}}}", "list.runtimeValue.constant: type LIST is wanted, but it is a struct")]
#[case(
    "struct: {runtimeValue: {constant: []}}",
    "struct.runtimeValue.constant: type STRUCT is wanted, but it is a list"
)]
#[case(
    "mode: {runtimeValue: {constant: odd}}",
    "mode.runtimeValue.constant: \"odd\" is not one of the allowed values: \"fast\", \"slow\""
)]
#[case("lr: {runtimeValue: {}}", "lr.runtimeValue: a constant is wanted")]
#[case(
    "lr: {componentInputParameter: rates}",
    "lr.componentInputParameter: type NUMBER_DOUBLE is wanted, but input \"rates\" of the parent is of type LIST"
)]
#[case(
    "lr: {taskOutputParameter: {producerTask: loop, outputParameterKey: loss}}",
    "lr: type NUMBER_DOUBLE is wanted, but output \"loss\" of task \"loop\" is of type LIST"
)]
#[case(
    "on: {taskOutputParameter: {producerTask: last, outputParameterKey: text}}",
    "on: type BOOLEAN is wanted, but output \"text\" of task \"last\" is of type STRING"
)]
#[case("list: {taskFinalStatus: {}}", "list: type LIST is wanted, but how a task ended is of type TASK_FINAL_STATUS")]
#[case(
    "name: {componentInputParameter: root-lr}",
    "lr: a value of type NUMBER_DOUBLE is required, and nothing gives it"
)]
fn inputs_that_never_fit(#[case] input: &str, #[case] message: &str) {
    let text = with(GIVEN, &format!("{{{input}}}"));
    refused(&text, &format!("root.dag.tasks.train.inputs.parameters.{message}"));
}

const OPTIONAL_BASE: &str = "artifacts: {base: {artifactType: {schemaTitle: system.Model}, isOptional: true}}";

#[test]
fn artifacts_that_nothing_gives() {
    refused(
        &with(OPTIONAL_BASE, "artifacts: {base: {artifactType: {schemaTitle: system.Model}}}"),
        "components.comp-group.dag.tasks.train.inputs.artifacts.base: an artifact is required, and nothing gives it",
    );
}

#[rstest]
#[case("{parameterType: NUMBER_DOUBLE, defaultValue: 1}", None)]
#[case("{parameterType: NUMBER_DOUBLE, defaultValue: null}", None)]
#[case("{parameterType: STRING, defaultValue: 3}", None)]
#[case("{parameterType: LIST, defaultValue: '[]'}", None)]
#[case("{parameterType: STRUCT, defaultValue: []}", None)]
#[case("{parameterType: NUMBER_INTEGER, defaultValue: 1, literals: [1, 2]}", None)]
#[case(
    "{parameterType: NUMBER_INTEGER, defaultValue: a}",
    Some("defaultValue: type NUMBER_INTEGER is wanted, but it is a string")
)]
#[case("{parameterType: BOOLEAN, defaultValue: 1}", Some("defaultValue: type BOOLEAN is wanted, but it is a number"))]
#[case("{parameterType: LIST, defaultValue: 1}", Some("defaultValue: type LIST is wanted, but it is a number"))]
#[case(
    "{parameterType: STRING, defaultValue: a, literals: [b]}",
    Some("defaultValue: \"a\" is not one of the allowed values: \"b\"")
)]
#[case(
    "{parameterType: BOOLEAN, isOptional: true, literals: [b]}",
    Some("literals: type BOOLEAN is wanted, but it is a string")
)]
fn definitions(#[case] definition: &str, #[case] message: Option<&str>) {
    let text = with("{parameterType: BOOLEAN, isOptional: true}", definition);
    match message {
        None => passes(&text),
        Some(message) => {
            refused(&text, &format!("components.comp-train.inputDefinitions.parameters.on.{message}"));
        }
    }
}

#[test]
fn items_are_of_any_type() {
    passes(&with(
        "{parameters: {inner: {parameterType: NUMBER_DOUBLE}}}",
        "{parameters: {inner: {parameterType: LIST}}}",
    ));
}

#[rstest]
#[case("triggerPolicy: {strategy: ALL_UPSTREAM_TASKS_COMPLETED}", None)]
#[case("retryPolicy: {maxRetryCount: 0, backoffFactor: 0}", None)]
#[case("iteratorPolicy: {parallelismLimit: 0}", None)]
#[case("iteratorPolicy: {parallelismLimit: -1}", Some("iteratorPolicy.parallelismLimit: it cannot be negative"))]
#[case("retryPolicy: {maxRetryCount: -1}", Some("retryPolicy.maxRetryCount: it cannot be negative"))]
#[case("retryPolicy: {backoffFactor: -0.5}", Some("retryPolicy.backoffFactor: it cannot be negative"))]
fn policies(#[case] policy: &str, #[case] message: Option<&str>) {
    let text = with(LAST, &format!("{LAST}        {policy}\n"));
    match message {
        None => passes(&text),
        Some(message) => refused(&text, &format!("root.dag.tasks.last.{message}")),
    }
}

#[test]
fn only_exit_tasks_are_told_how_others_ended() {
    let text = with("{lr: {taskOutputParameter", "{status: {taskFinalStatus: {}}, lr: {taskOutputParameter");
    refused(
        &text,
        "root.dag.tasks.last.inputs.parameters.status.taskFinalStatus: only a task with triggerPolicy.strategy \
         ALL_UPSTREAM_TASKS_COMPLETED can be told how another ended",
    );
    passes(&text.replace(LAST, &format!("{LAST}        triggerPolicy: {{strategy: ALL_UPSTREAM_TASKS_COMPLETED}}\n")));
}

#[rstest]
#[case("{importer: {artifactUri: {constant: 's3://b/k'}}}", None)]
#[case("{importer: {artifactUri: {constant: '{{$.pipeline_root}}/x'}}}", None)]
#[case("{}", Some("deploymentSpec.executors.exec-import: one of container and importer is wanted"))]
#[case(
    "{importer: {artifactUri: {runtimeParameter: uri}}, container: {}}",
    Some("deploymentSpec.executors.exec-import: one of container and importer is wanted")
)]
#[case(
    "{importer: {}}",
    Some(
        "deploymentSpec.executors.exec-import.importer.artifactUri: a runtimeParameter, or a constant text, is wanted"
    )
)]
#[case(
    "{importer: {artifactUri: {constant: 3}}}",
    Some(
        "deploymentSpec.executors.exec-import.importer.artifactUri: a runtimeParameter, or a constant text, is wanted"
    )
)]
#[case(
    "{importer: {artifactUri: {runtimeParameter: url}}}",
    Some(
        "components.comp-import.inputDefinitions.parameters: the importer takes its URI from the input parameter \"url\", which is missing"
    )
)]
fn executors(#[case] executor: &str, #[case] message: Option<&str>) {
    let text =
        with("{importer: {artifactUri: {runtimeParameter: uri}, typeSchema: {schemaTitle: system.Model}}}", executor);
    match message {
        None => passes(&text),
        Some(message) => refused(&text, message),
    }
}

#[rstest]
#[case("{}", "components.comp-import.outputDefinitions.artifacts: an importer has one output artifact, not 0")]
#[case(
    "{artifacts: {a: {artifactType: {schemaTitle: x}}, b: {artifactType: {schemaTitle: x}}}}",
    "components.comp-import.outputDefinitions.artifacts: an importer has one output artifact, not 2"
)]
#[case(
    "{artifacts: {artifact: {artifactType: {schemaUri: 'https://x'}}}}",
    "components.comp-import.outputDefinitions.artifacts.artifact.artifactType: schemaUri is not supported: use schemaTitle, such as system.Model, or instanceSchema"
)]
fn artifacts(#[case] outputs: &str, #[case] message: &str) {
    refused(&with("{artifacts: {artifact: {artifactType: {schemaTitle: system.Model}}}}", outputs), message);
}

#[rstest]
#[case(
    "{producerSubtask: last, outputParameterKey: loss}",
    "{producerSubtask: last, outputParameterKey: text}",
    "parameters.best: what is selected from is of one type, not of NUMBER_DOUBLE and STRING"
)]
#[case(
    "{producerSubtask: last, outputParameterKey: loss}",
    "{producerSubtask: loop, outputParameterKey: loss}",
    "parameters.best: what is selected from is of one type, not of NUMBER_DOUBLE and LIST"
)]
#[case(
    "{producerSubtask: last, outputArtifactKey: model}",
    "{producerSubtask: import, outputArtifactKey: artifact}",
    "artifacts.model: what is selected from is of one type, not of \"system.Model\" and \"system.Dataset\""
)]
#[case(
    "{valueFromOneof: {parameterSelectors: [{producerSubtask: train, outputParameterKey: loss}, {producerSubtask: last, outputParameterKey: loss}]}}",
    "{}",
    "parameters.best: one of valueFromParameter and valueFromOneof is wanted"
)]
fn outputs(#[case] from: &str, #[case] to: &str, #[case] message: &str) {
    let text = with(from, to).replace(
        "{artifacts: {artifact: {artifactType: {schemaTitle: system.Model}}}}",
        "{artifacts: {artifact: {artifactType: {schemaTitle: system.Dataset}}}}",
    );
    refused(&text, &format!("root.dag.outputs.{message}"));
}

#[rstest]
#[case("60", None)]
#[case("'60'", None)]
#[case("60.0", None)]
#[case("0", None)]
#[case("null", None)]
#[case("9223372036854775807", None)]
#[case("-1", Some("-1"))]
#[case("1.5", Some("1.5"))]
#[case("soon", Some("\"soon\""))]
#[case("'-1'", Some("\"-1\""))]
#[case("[1]", Some("[1]"))]
fn deadlines(#[case] written: &str, #[case] wrong: Option<&str>) {
    for (settings, place) in [
        (
            "deploymentSpec: {executors: {exec-train: {activeDeadlineSeconds: SECONDS}}}",
            "deploymentSpec.executors.exec-train",
        ),
        ("pipelineConfig: {activeDeadlineSeconds: SECONDS}", "pipelineConfig"),
    ] {
        let settings = settings.replace("SECONDS", written);
        let text = format!("{PIPELINE}---\nplatforms: {{kubernetes: {{{settings}}}}}\n");
        match wrong {
            None => passes(&text),
            Some(wrong) => refused(
                &text,
                &format!(
                    "platforms.kubernetes.{place}.activeDeadlineSeconds: {wrong} is no number of seconds, such as 60"
                ),
            ),
        }
    }
}
