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
