"""How long to wait after something failed. Seconds; all of design, section 2."""

from __future__ import annotations

REFUSED_KEY_S = (5.0, 15.0, 30.0, 60.0)
"""After a key's first refusal it is tried again so much later: a new key takes a moment to spread at the vendor."""
REFUSED_KEY_THEN_EVERY_S = 300.0
LOOK_CAP_S = 60.0
STOP_CAP_S = 30.0
WRITE_CAP_S = 15.0


def after_failed_look(failures: int) -> float:
    """5, 10, 20, 40, 60, 60 …"""
    return min(LOOK_CAP_S, 5.0 * 2.0 ** min(max(failures - 1, 0), 10))


def after_failed_stop(failures: int) -> float:
    """1, 2, 4 … 30, 30 …"""
    return min(STOP_CAP_S, 2.0 ** min(max(failures - 1, 0), 10))


def after_failed_write(failures: int) -> float:
    """0.5, 1, 2 … 15, 15 …"""
    return min(WRITE_CAP_S, 0.5 * 2.0 ** min(max(failures - 1, 0), 10))


def next_try_of_refused_key(first_refused_s: float, now_s: float) -> float:
    """When a key that was refused now is tried again, counted from its first refusal or the Secret's last change."""
    for delay in REFUSED_KEY_S:
        if now_s < first_refused_s + delay:
            return first_refused_s + delay
    return now_s + REFUSED_KEY_THEN_EVERY_S
