"""A confusion matrix cell by cell and a ROC curve point by point, and what a task downstream is told of them."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(scores: dsl.Output[dsl.ClassificationMetrics]):
    scores.set_confusion_matrix_categories(["cat", "dog"])
    scores.log_confusion_matrix_cell("cat", "dog", 2)
    scores.log_confusion_matrix_row("dog", [0, 7])
    scores.log_roc_data_point(fpr=0.25, tpr=0.5, threshold=0.75)


@dsl.component(base_image=IMAGE)
def consume(scores: dsl.Input[dsl.ClassificationMetrics]) -> str:
    return " ".join(sorted(scores.metadata))


@dsl.pipeline(name="artifacts-classification-cells")
def pipeline():
    consume(scores=produce().output)
