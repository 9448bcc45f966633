"""Whether two samples of times can be told apart, by ranks, so that a pause of the machine weighs no more than its place."""
import bisect
import math


def auc(ones: list, others: list) -> float:
    """The chance that one of `ones` took longer than one of `others`: 0.5 if nothing can be told."""
    ordered = sorted(others)
    wins = sum(bisect.bisect_left(ordered, one) + bisect.bisect_right(ordered, one) for one in ones)
    return wins / (2 * len(ones) * len(ordered))


def z(ones: list, others: list) -> float:
    """Mann-Whitney's, which is within 3 nearly always if nothing can be told."""
    n, m = len(ones), len(others)
    return (auc(ones, others) - 0.5) * math.sqrt(12 * n * m / (n + m + 1))


def faster(sample: list) -> list:
    """The faster half."""
    return sorted(sample)[:len(sample) // 2]


def quantile(sample: list, part: float) -> float:
    return sorted(sample)[int(part * (len(sample) - 1))]


def later(ones: list, others: list, part: float) -> float:
    """By how many microseconds `ones` are later than `others`, at a quantile."""
    return (quantile(ones, part) - quantile(others, part)) / 1000
