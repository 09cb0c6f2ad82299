"""What a small world's metrics show, read by Prometheus' own parser."""

from __future__ import annotations

from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from tests.kube.small_world import World

Labels = dict[str, str]


def series(stage: World) -> list[tuple[str, Labels, float]]:
    """Each series with its labels and its value; fails where two are one."""
    families = text_string_to_metric_families(stage.metrics.text().decode())
    found = [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]
    twice = Counter((name, tuple(sorted(labels.items()))) for name, labels, _ in found)
    assert [each for each, times in twice.items() if times > 1] == []
    return found


def shown(stage: World, name: str, **labels: str) -> list[tuple[Labels, float]]:
    """The series of a metric that have these labels."""
    return [
        (found, value)
        for each, found, value in series(stage)
        if each == f"livetask_{name}" and labels.items() <= found.items()
    ]


def value(stage: World, name: str, **labels: str) -> float | None:
    """The value of the one series with these labels; None where there is none."""
    found = shown(stage, name, **labels)
    assert len(found) < 2, found
    return found[0][1] if found else None


def status(stage: World, task: str = "cup-final") -> Labels:
    """The labels of an object's livetask_task_status."""
    ((labels, one),) = shown(stage, "task_status", task=task)
    assert one == 1
    return labels
