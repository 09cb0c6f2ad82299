"""What Argo CD shows of a broadcast: the health that the design gives to each state, with the operator's own words."""

from __future__ import annotations

from tests.argocd.conftest import Team
from tests.stage.tenant import until

ALIBABA_STATUS = {"starting": 0, "on-air": 1, "ended": 2, "failed": 6}
HEALTH = {
    "on-air": "Healthy",
    "starting": "Progressing",
    "without-a-key": "Progressing",
    "ended": "Suspended",
    "put-aside": "Suspended",
    "failed": "Degraded",
}


def test_each_state_of_a_broadcast_is_shown_as_what_it_is(team: Team) -> None:
    for task, status in ALIBABA_STATUS.items():
        team.starts(task, status)
    team.starts("put-aside")

    app = team.deploys(
        *(team.task(task) for task in ALIBABA_STATUS),
        team.task("put-aside", suspend=True),
        team.task("without-a-key", credentialsSecretRef={"name": "nowhere"}),
    )

    for name, health in HEALTH.items():
        app.shows(name, health)
    app.reaches("Synced", "Degraded")
    assert "6 (" in app.shows("failed", "Degraded"), "the words came with the health"
    for name in HEALTH:
        team.relays(name).reaches()
    app.refresh()  # words that change within one health are seen with the next comparison
    until(lambda: all(app.words(name) == words(team, name) for name in HEALTH), "the operator's own words")
    assert "nowhere" in app.words("without-a-key")


def words(team: Team, name: str) -> str:
    """What the operator says of a task, as it stands in the condition that decides."""
    relay = team.relays(name)
    decides = ("Stalled", "Reconciling", "Ready")
    return str(next(message for kind in decides if (message := relay.condition(kind).get("message"))))


def test_a_broadcast_that_changes_its_state_changes_its_health_within_seconds(team: Team) -> None:
    team.starts("cup-final")
    app = team.deploys(team.task("cup-final"))
    app.reaches("Synced", "Healthy")

    team.becomes("cup-final", 6)

    app.reaches("Synced", "Degraded", within_s=30)
    team.becomes("cup-final", 1)
    app.reaches("Synced", "Healthy", within_s=30)


def test_trouble_that_may_pass_is_progressing_and_never_fails_a_sync(team: Team) -> None:
    team.starts("cup-final")
    team.starts("interview")
    outage = team.fault("reset")

    app = team.deploys(team.task("cup-final"), team.task("interview", wave=1))

    app.shows("cup-final", "Progressing")
    team.relays("cup-final").reaches(reason="VendorUnavailable", within_s=60)
    app.says("waiting for healthy state of livetask.dev/RelayTask/cup-final")
    assert app.operation["phase"] == "Running"
    team.cloud.clear_faults(fault_id=outage)
    app.reaches("Synced", "Healthy")
    app.ends("Succeeded")
    assert "retryCount" not in app.operation
