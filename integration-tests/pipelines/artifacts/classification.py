"""A ROC curve and a confusion matrix."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(scores: dsl.Output[dsl.ClassificationMetrics]):
    scores.log_roc_curve([0.0, 0.5, 1.0], [0.0, 0.75, 1.0], [2.0, 0.5, 0.0])
    scores.log_confusion_matrix(["cat", "dog"], [[4, 1], [2, 3]])


@dsl.pipeline(name="artifacts-classification")
def pipeline():
    produce()
