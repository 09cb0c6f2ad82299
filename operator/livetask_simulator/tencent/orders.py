"""Orders to the simulated Tencent Cloud from the admin API and from scripts: accounts, keys, quotas, tasks.

Apart from admin_cloud.py and script.py, so that a field means the same in both.
"""

from dataclasses import replace

from livetask_simulator.accounts import Key
from livetask_simulator.fields import FieldError, Fields
from livetask_simulator.limits import Quota
from livetask_simulator.tencent.gateway import TencentCloud
from livetask_simulator.tencent.operations import OPERATIONS, SDK_APP_IDS
from livetask_simulator.tencent.tasks import (
    DEFAULT_REGION,
    MISSING,
    Service,
    Settings,
    Status,
    StopOfUnknown,
    Task,
    Turn,
)

DENIALS = ("UnauthorizedOperation", "UnauthorizedOperation.SdkAppId", "AuthFailure.UnauthorizedOperation")


def put_settings(cloud: TencentCloud, account: str, fields: Fields) -> None:
    """Add an account, or change its settings: those named change, the others stay."""
    settings = cloud.tasks.settings(account)
    changed = replace(
        settings,
        service=fields.choice("service", Service, settings.service),
        stop_of_unknown=fields.choice("stopOfUnknown", StopOfUnknown, settings.stop_of_unknown),
        regions_share_tasks=fields.flag("regionsShareTasks", settings.regions_share_tasks),
    )
    if "forgetEndedAfterSeconds" in fields:
        changed = replace(changed, forget_ended_after_s=fields.seconds_or_none("forgetEndedAfterSeconds"))
    if "clockSkewSeconds" in fields:
        changed = replace(changed, clock_skew_s=fields.seconds_or_none("clockSkewSeconds", signed=True) or 0.0)
    if "startLife" in fields:
        changed = replace(changed, start_life=_life(fields, "startLife"))
    if "apps" in fields:
        apps = fields.texts_or_none("apps")
        changed = replace(changed, apps=None if apps is None else frozenset(apps))
    fields.done()
    cloud.accounts.add(account)
    cloud.tasks.set_settings(account, changed)


def show_settings(cloud: TencentCloud, account: str) -> dict[str, object]:
    """An account as the admin API shows it, without secrets."""
    settings: Settings = cloud.tasks.settings(cloud.accounts.require(account))
    return {
        "account": account,
        "service": settings.service,
        "stopOfUnknown": settings.stop_of_unknown,
        "regionsShareTasks": settings.regions_share_tasks,
        "forgetEndedAfterSeconds": settings.forget_ended_after_s,
        "clockSkewSeconds": settings.clock_skew_s,
        "startLife": [[turn.after_s, turn.status] for turn in settings.start_life],
        "apps": None if settings.apps is None else sorted(settings.apps),
        "keys": [
            {"keyId": key.key_id, "active": key.active, "revoked": key.revoked, "temporary": key.token is not None}
            for key in cloud.accounts.keys_of(account)
        ],
    }


def put_key(cloud: TencentCloud, account: str, key_id: str, fields: Fields) -> None:
    """Add a key or replace it."""
    allow = fields.texts_or_none("allow")
    key = Key(
        key_id=key_id,
        account=account,
        secret=fields.text("secret"),
        token=fields.text_or_none("token"),
        token_expired=fields.flag("tokenExpired", False),
        active=fields.flag("active", True),
        allow=None if allow is None else frozenset(allow),
        denial=fields.text("denial", DENIALS[0]),
    )
    fields.done()
    if key.denial not in DENIALS:
        raise FieldError(f"key {key_id}: denial must be one of {', '.join(DENIALS)}, and is {key.denial}.")
    cloud.accounts.put_key(key)


def revoke_key(cloud: TencentCloud, account: str, key_id: str) -> bool:
    """Make a key unknown to the cloud; returns whether the account had it."""
    key = cloud.accounts.key(key_id)
    if key is None or key.account != account:
        return False
    key.revoked = True
    return True


def put_quota(cloud: TencentCloud, account: str, operation: str, fields: Fields) -> None:
    """Give an account a quota of its own for an operation."""
    quota = Quota(
        limit=fields.integer("limit", 0),
        window_s=fields.seconds("windowSeconds", 1.0),
        retry_after_ms=fields.integer_or_none("retryAfterMs"),
    )
    fields.done()
    cloud.accounts.require(account)
    if operation not in OPERATIONS:
        raise FieldError(f"There is no operation {operation}.")
    cloud.limits.set(account, operation, quota)


def tasks(cloud: TencentCloud, account: str) -> list[Task]:
    """The tasks that the cloud knows for an account."""
    return list(cloud.tasks.of_account(account))


def find_task(cloud: TencentCloud, account: str, app_id: str, task_id: str) -> Task | None:
    """The task, unless the cloud never knew it or has forgotten it."""
    return cloud.tasks.find(account, app_id, task_id)


def put_task(cloud: TencentCloud, account: str, app_id: str, task_id: str, fields: Fields) -> Task:
    """Have a task of a chosen id, started now; one of that id is replaced."""
    if not (app_id.isascii() and app_id.isdigit() and int(app_id) in SDK_APP_IDS):
        raise FieldError(f"appId must be an SdkAppId, a number from 1 to 4294967295, and is {app_id!r}.")
    status = fields.choice("status", Status, Status.IN_PROGRESS)
    life = (Turn(0.0, status), *_life(fields, "life"))
    region = fields.text("region", DEFAULT_REGION)
    task = cloud.tasks.start(cloud.accounts.require(account), app_id, task_id, life=life, region=region)
    try:
        _misbehave(task, fields)
        fields.done()
    except FieldError:
        cloud.tasks.forget_task(account, app_id, task_id)
        raise
    return task


def change_task(cloud: TencentCloud, task: Task, fields: Fields) -> None:
    """Change a task: those fields that are named."""
    status = fields.choice("status", Status) if "status" in fields else None
    life = _life(fields, "life")
    _misbehave(task, fields)
    fields.done()
    now_s = cloud.clock.monotonic()
    if status is not None:
        task.become(status, now_s)
    if life:
        age_s = now_s - task.started_s
        past = tuple(turn for turn in task.life if turn.after_s <= age_s)
        task.life = (*past, *(Turn(age_s + turn.after_s, turn.status) for turn in life))


def forget_task(cloud: TencentCloud, account: str, task: Task) -> None:
    """Make a task unknown."""
    cloud.tasks.forget_task(account, task.app_id, task.task_id)


def show_task(cloud: TencentCloud, task: Task) -> dict[str, object]:
    """A task as the admin API shows it."""
    now_s = cloud.clock.monotonic()
    ended_s = task.ended_s(now_s)
    return {
        "appId": task.app_id,
        "taskId": task.task_id,
        "region": task.region,
        "status": task.status(now_s),
        "ageSeconds": round(now_s - task.started_s, 3),
        "endedSecondsAgo": None if ended_s is None else round(now_s - ended_s, 3),
        "ignoreStops": task.ignore_stops,
        "stopTakesSeconds": task.stop_takes_s,
        "stopsAccepted": task.stops_accepted,
    }


def _misbehave(task: Task, fields: Fields) -> None:
    task.ignore_stops = fields.integer("ignoreStops", task.ignore_stops)
    task.stop_takes_s = fields.seconds("stopTakesSeconds", task.stop_takes_s)
    if "rawStatus" not in fields:
        return
    raw = fields.anything("rawStatus")
    if raw is None:
        task.has_raw_status, task.raw_status = False, None
        return
    said = Fields(raw, "rawStatus")
    task.raw_status = MISSING if said.flag("missing", False) else said.anything("value")
    task.has_raw_status = True
    said.done()


def _life(fields: Fields, name: str) -> tuple[Turn, ...]:
    turns = []
    for turn in fields.sequence(name):
        match turn:
            case [int() | float() as after_s, "InProgress" | "NotExist" as status] if after_s >= 0:
                turns.append(Turn(float(after_s), Status(status)))
            case _:
                raise FieldError(f"{name} must be a list of [seconds after the start, status], and has {turn!r}.")
    return tuple(sorted(turns, key=lambda turn: turn.after_s))
