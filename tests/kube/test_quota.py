"""Inside the quota, as the vendor counts it: also when many objects come at once."""

from __future__ import annotations

from tests.stage.tenant import Tenant


def test_objects_that_come_all_at_once_are_looked_at_without_one_throttled_call(tenant: Tenant) -> None:
    names = [f"edge-{number}" for number in range(15)]
    for name in names:
        tenant.preloads(name, stream=name)

    objects = [tenant.preload(name, streams=[name]) for name in names]

    for each in objects:
        each.reaches("Succeeded", within_s=15)
    calls = tenant.lists()
    assert len(calls) >= len(names)
    assert not [call for call in calls if call.throttled]
