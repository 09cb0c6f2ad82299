"""What the operator cannot defend, the cluster can: the page's ResourceQuota works as it is written there."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.controlplane import ControlPlane
from tests.stage.objects import live_tasks, wait_for
from tests.threats.mallory import Mallory

PAGE = ROOT / "manifests" / "threats.md"


def test_a_namespace_has_no_more_objects_than_its_quota_says(mallory: Mallory, plane: ControlPlane) -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    quota = found[1].replace("namespace: sports", f"namespace: {mallory.namespace}")
    assert "count/relaytasks.livetask.dev: 200" in quota
    small = re.sub(r"(count/\w+\.livetask\.dev): \d+", r"\1: 2", quota)
    plane.kubectl("apply", "-f", "-", stdin=small)
    counted = ("resourcequota/livetask", "-n", mallory.namespace)
    used = "count/relaytasks.livetask.dev"
    # A new control plane takes half a minute to know that kinds like ours can be counted.
    wait_for(lambda: plane.get(*counted).get("status", {}).get("used", {}).get(used), "the quota is counted", 120)
    path = live_tasks("RelayTask", mallory.namespace)

    def create(name: str) -> int:
        body = {
            "apiVersion": "livetask.dev/v1alpha1",
            "kind": "RelayTask",
            "metadata": {"name": name},
            "spec": {"alibabaCloud": {"appId": "a", "taskId": name}, "credentialsSecretRef": {"name": "alibaba"}},
        }
        return mallory.objects.answer("POST", path, body).status_code

    answers = [create(name) for name in ("first", "second", "third")]

    assert answers == [201, 201, 403]
