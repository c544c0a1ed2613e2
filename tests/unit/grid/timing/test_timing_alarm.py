"""Alarms at times of the wall clock."""

import asyncio
import errno
import time

import pytest
import stream_fixtures as streams

from grid.timing import alarm
from grid.timing.alarm import _KernelAlarm, _LoopAlarm

KINDS = [_KernelAlarm, _LoopAlarm]


@pytest.mark.parametrize("kind", KINDS)
async def test_it_rings_once_and_not_before_its_time(kind):
    rang = []
    bell = kind(lambda: rang.append(time.time_ns()))
    due = time.time_ns() + 30_000_000
    bell.set(due)
    await streams.soon(lambda: rang)
    await asyncio.sleep(0.05)
    bell.close()
    assert len(rang) == 1
    # asyncio's own timers may ring a clock's resolution early.
    assert rang[0] >= due - (0 if kind is _KernelAlarm else 1_000_000)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_time_that_is_past_rings_at_once(kind):
    rang = []
    bell = kind(lambda: rang.append(1))
    for due in (0, -5, time.time_ns() - 1):
        rang.clear()
        bell.set(due)
        await streams.soon(lambda: rang)
    bell.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_new_setting_replaces_the_old_one_and_closing_ends_it(kind):
    rang = []
    bell = kind(lambda: rang.append(1))
    bell.set(time.time_ns() + 20_000_000)
    bell.set(time.time_ns() + 3_600_000_000_000)
    await asyncio.sleep(0.06)
    assert not rang
    bell.set(time.time_ns() + 20_000_000)
    bell.close()
    bell.close()
    await asyncio.sleep(0.06)
    assert not rang


async def test_a_clock_that_is_set_rings_too(monkeypatch):
    """The kernel cancels the timer, and reading it fails: that is when to look at the clock."""
    rang = []
    bell = _KernelAlarm(lambda: rang.append(1))

    def cancelled(*_):
        raise OSError(errno.ECANCELED, "cancelled")

    with monkeypatch.context() as patched:
        patched.setattr(alarm.os, "read", cancelled)
        bell.set(0)
        await streams.soon(lambda: rang)
        bell.set(time.time_ns() + 3_600_000_000_000)
    bell.close()


def test_linux_has_the_kernels_alarm(monkeypatch):
    async def kind(platform):
        monkeypatch.setattr(alarm.sys, "platform", platform)
        bell = alarm.alarm(lambda: None)
        bell.close()
        return type(bell)

    assert asyncio.run(kind("linux")) is _KernelAlarm
    assert asyncio.run(kind("darwin")) is _LoopAlarm
