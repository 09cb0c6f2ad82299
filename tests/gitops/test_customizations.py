"""Argo CD's own code runs our scripts over the test data, as its own tests would, and reads our ConfigMap."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from tests.controlplane import ControlPlane
from tests.gitops.customizations import CONFIG_MAP, CUSTOMIZATIONS, GROUP, Customization, config_map, read_object
from tests.gitops.gitopscheck import GitopsCheck, GitopsCheckError
from tests.gitops.rows import ROWS
from tests.gitops.written import ASKED_AT, action_data, file_of

Body = Mapping[str, Any]
EACH_KIND = pytest.mark.parametrize("of", CUSTOMIZATIONS, ids=lambda of: of.kind)
REQUESTED_AT = "livetask.dev/requested-at"


@EACH_KIND
def test_the_health_scripts_say_what_their_tests_say(argo: GitopsCheck, of: Customization) -> None:
    for test in of.health_tests:
        wanted = test["healthStatus"]
        assert argo.health(of.object(test["inputPath"])) == (wanted["status"], wanted["message"]), test["inputPath"]


@EACH_KIND
def test_each_row_of_the_table_is_among_these_tests(of: Customization) -> None:
    tested = [test["inputPath"] for test in of.health_tests]

    assert tested == [f"testdata/{row.name}.yaml" for row in ROWS if row.kind == of.kind and not row.is_deleted]
    assert {test["healthStatus"]["status"] for test in of.health_tests} == {
        "Healthy",
        "Progressing",
        "Degraded",
        "Suspended",
    }
    assert {path.name for path in (of.folder / "testdata").iterdir()} == {path.split("/")[1] for path in tested}


@EACH_KIND
def test_the_buttons_are_there_and_do_what_they_say(argo: GitopsCheck, of: Customization) -> None:
    for test in of.action_tests["discoveryTests"]:
        assert argo.actions(of.object(f"actions/{test['inputPath']}")) == test["result"], test["inputPath"]
    for test in of.action_tests["actionTests"]:
        made = argo.act(of.object(f"actions/{test['inputPath']}"), test["action"])
        if test["action"] == "refresh":
            assert made["metadata"]["annotations"][REQUESTED_AT] > "2026"
            made["metadata"]["annotations"][REQUESTED_AT] = ASKED_AT
        assert made == of.object(f"actions/{test['expectedOutputPath']}"), test


@EACH_KIND
def test_the_actions_test_data_is_made_of_the_test_data(of: Customization) -> None:
    rows = {row.name: read_object(file_of(row)) for row in ROWS if row.kind == of.kind}

    for path, value in action_data(of.kind, rows).items():
        assert read_object(of.folder / "actions" / path) == value, path


@EACH_KIND
def test_a_script_that_argo_cd_cannot_run_is_caught(argo: GitopsCheck, of: Customization) -> None:
    """Scripts in argocd-cm have no string library: what a script must not use fails here as it does there."""
    body = of.object(of.health_tests[0]["inputPath"])
    spoilt = of.health.replace("local conditions = {}", 'local conditions = { string.format("%s", "") }')
    spoilt = spoilt.replace("obj.status == nil or", "string.len(obj.kind) == 0 or")
    argo.customize({f"{GROUP}/{of.kind}": {"health.lua": spoilt}})

    with pytest.raises(GitopsCheckError, match="attempt to index a non-table object"):
        argo.health(body)


def test_the_config_map_is_made_of_the_scripts() -> None:
    assert CONFIG_MAP.read_text() == config_map(), "python -m tests.gitops.customizations"


@pytest.fixture
def installed_argo(asked: GitopsCheck, crds: ControlPlane, namespace: str) -> GitopsCheck:
    """An Argo CD whose argocd-cm was patched as the file says, and that by itself would not ignore a status."""
    asked.connect(crds.kubeconfig)
    status_counts = "--from-literal=resource.compareoptions=ignoreResourceStatusField: none"
    crds.kubectl("-n", namespace, "create", "configmap", "argocd-cm", status_counts)
    crds.kubectl("-n", namespace, "label", "configmap", "argocd-cm", "app.kubernetes.io/part-of=argocd")
    crds.kubectl(*f"-n {namespace} patch configmap argocd-cm --type merge --patch-file {CONFIG_MAP}".split())
    asked.settings_of(namespace)
    return asked


def test_argo_cd_reads_the_config_map_as_it_reads_the_scripts(installed_argo: GitopsCheck) -> None:
    for of in CUSTOMIZATIONS:
        for test in of.health_tests:
            wanted = test["healthStatus"]
            assert installed_argo.health(of.object(test["inputPath"])) == (wanted["status"], wanted["message"])
        for test in of.action_tests["discoveryTests"]:
            assert installed_argo.actions(of.object(f"actions/{test['inputPath']}")) == test["result"]


@EACH_KIND
def test_a_new_status_or_a_request_for_a_look_refreshes_no_application(
    installed_argo: GitopsCheck, of: Customization
) -> None:
    """Argo CD refreshes where what it watches of an object differs, or its health does, which it compares apart."""
    before = read_object(file_of(next(row for row in ROWS if (row.kind, row.name) == (of.kind, "suspended"))))
    before["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "live:livetask.dev/…"}
    after = copy.deepcopy(before)
    after["status"]["conditions"][0]["message"] = "Other words."
    after["metadata"]["annotations"][REQUESTED_AT] = "now"
    after["metadata"]["resourceVersion"] = "7"

    assert installed_argo.watched(after) == installed_argo.watched(before)
    edited = {**before, "spec": {**before["spec"], "pollIntervalSeconds": 60}}
    assert installed_argo.watched(edited) != installed_argo.watched(before), "what Git has is watched all the same"


def test_what_the_comment_says_of_the_config_map_is_so() -> None:
    keys = yaml.safe_load(CONFIG_MAP.read_text())["data"]

    assert not [key for key in keys if "ignoreDifferences" in key]
    assert {key.split(".")[2] for key in keys} == {"health", "actions", "ignoreResourceUpdates"}
