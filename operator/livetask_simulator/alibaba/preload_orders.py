"""Orders to the simulated Alibaba Cloud about preloads, from the admin API and from scripts.

Apart from orders.py, which is about what every vendor has.
"""

import uuid
from dataclasses import replace

from livetask_simulator.alibaba.gateway import AlibabaCloud
from livetask_simulator.alibaba.preloads import LASTS_S, ListShape, Preload, PreloadSettings, Stage
from livetask_simulator.fields import FieldError, Fields


def read_settings(settings: PreloadSettings, fields: Fields) -> PreloadSettings:
    """An account's settings changed as the fields say: those named change, the others stay."""
    changed = replace(
        settings,
        shape=fields.choice("preloadListShape", ListShape, settings.shape),
        forget_after_s=fields.seconds("forgetPreloadsAfterSeconds", settings.forget_after_s),
    )
    if "preloadLife" in fields:
        changed = replace(changed, life=_life(fields, "preloadLife"))
    if "domains" in fields:
        domains = fields.texts_or_none("domains")
        changed = replace(changed, domains=None if domains is None else frozenset(domains))
    return changed


def show_settings(settings: PreloadSettings) -> dict[str, object]:
    """An account's settings as the admin API shows them."""
    return {
        "domains": None if settings.domains is None else sorted(settings.domains),
        "preloadListShape": settings.shape,
        "forgetPreloadsAfterSeconds": settings.forget_after_s,
        "preloadLife": [[stage.after_s, stage.process, stage.status] for stage in settings.life],
    }


def put_preload(cloud: AlibabaCloud, account: str, fields: Fields) -> Preload:
    """Have a preload, created now or some time ago; its life counts from now. One of that id is replaced."""
    now_s = cloud.clock.monotonic()
    starts_s = now_s + (fields.seconds_or_none("startsInSeconds", signed=True) or 0.0)
    preload = Preload(
        task_id=fields.text("taskId", "") or uuid.uuid4().hex,
        domain=fields.text("domainName"),
        play_url=fields.text("playUrl"),
        area=fields.text("area", "domestic"),
        created_s=now_s - fields.seconds("createdSecondsAgo", 0.0),
        starts_s=starts_s,
        ends_s=starts_s + fields.seconds("lastsSeconds", LASTS_S),
        life=(),
        description=fields.text_or_none("description"),
    )
    now = Stage(0.0, fields.text("process", "100%"), fields.text("status", "Success"))
    preload.become(now_s, (now, *_life(fields, "life")))
    fields.done()
    cloud.preloads.add(cloud.accounts.require(account), preload)
    return preload


def change_preload(cloud: AlibabaCloud, preload: Preload, fields: Fields) -> None:
    """Change a preload: those fields that are named. A life counts from now."""
    now_s = cloud.clock.monotonic()
    shown = preload.stage(now_s)
    changes_words = "process" in fields or "status" in fields
    stage = Stage(0.0, fields.text("process", shown.process), fields.text("status", shown.status))
    life = _life(fields, "life")
    description = fields.text_or_none("description") if "description" in fields else preload.description
    age_s = fields.seconds_or_none("createdSecondsAgo")
    fields.done()
    preload.description = description
    if changes_words or life:
        preload.become(now_s, (stage, *life))
    if age_s is not None:
        older_s = age_s - (now_s - preload.created_s)
        preload.created_s -= older_s
        preload.life = tuple(replace(each, after_s=each.after_s + older_s) for each in preload.life)


def show_preload(cloud: AlibabaCloud, preload: Preload) -> dict[str, object]:
    """A preload as the admin API shows it."""
    now_s = cloud.clock.monotonic()
    stage = preload.stage(now_s)
    return {
        "taskId": preload.task_id,
        "domainName": preload.domain,
        "playUrl": preload.play_url,
        "area": preload.area,
        "process": stage.process,
        "status": stage.status,
        "description": preload.describe(now_s),
        "ageSeconds": round(now_s - preload.created_s, 3),
    }


def _life(fields: Fields, name: str) -> tuple[Stage, ...]:
    stages = []
    for stage in fields.sequence(name):
        match stage:
            case [int() | float() as after_s, str() as process, str() as status] if after_s >= 0:
                stages.append(Stage(float(after_s), process, status))
            case _:
                raise FieldError(f"{name} must be a list of [seconds, process, status], and has {stage!r}.")
    return tuple(sorted(stages, key=lambda stage: stage.after_s))
