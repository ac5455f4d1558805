"""Follows a process and all that it starts from one system call to the next, and kills them all at the chosen one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from syscalls import NAMES, Call, Op, at_entry, below

TRACEME, CONT_SYSCALL, SET_OPTIONS, GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 20
ENTRY, EXIT = 1, 2
ALL_THREADS = 0x40000000
AT_SYSCALL = signal.SIGTRAP | 0x80
PATIENCE = 60
NEEDS = "crash tests need Linux 5.3, kernel.yama.ptrace_scope below 3, and a container that allows ptrace"


class RefusedError(Exception):
    """This machine does not let one process follow another."""


class _Info(ctypes.Structure):
    """What the kernel says about a stop: alike on every processor."""

    _fields_ = (
        ("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64), ("stack", ctypes.c_uint64), ("words", ctypes.c_uint64 * 8),
    )  # fmt: skip


@dataclass(slots=True)
class Traced:
    """What a process did to the folder, call by call, and how it ended.

    `points` names every call that may change the folder, at its entry; `ops` are what they did, and what was said into
    the pipe between them, if it was recorded; `status` is the exit code, negative for the signal it died of.
    """

    points: list[str] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    killed: bool = False
    status: int = 0
    said: bytes = b""


def trace(play: Callable[[int], None], root: str, *, kill_at: int | None = None, record: bool = False) -> Traced:
    """Play in a process of its own, which gets a pipe to say what is done; kill it at the entry of a call, from 0.

    To be called in a process that has no other child: it waits until there is none left.
    """
    _require_linux()
    listen, speak = os.pipe()
    child = os.fork()
    if child == 0:
        _play_traced(play, speak)
    os.close(speak)
    with open(listen, "rb", buffering=0) as pipe:
        watch = _Watch(child, os.path.realpath(root), os.fstat(listen).st_ino, kill_at, record)
        watch.follow()
        watch.traced.said = pipe.read()
    return watch.traced


class _Watch:
    """One process and its descendants, until all have ended."""

    def __init__(self, child: int, root: str, pipe: int, kill_at: int | None, record: bool) -> None:
        self.child, self.root, self.pipe = child, root, f"pipe:[{pipe}]"
        self.kill_at, self.record = kill_at, record
        self.calls: dict[int, Call] = {}
        self.threads = {child}
        self.traced = Traced()

    def follow(self) -> None:
        stopped, status = os.waitpid(self.child, ALL_THREADS)
        if not os.WIFSTOPPED(status):
            raise RefusedError(f"no process may be followed on this machine: {NEEDS}")
        _ptrace(SET_OPTIONS, stopped, SYSGOOD | FORK | VFORK | CLONE | EXEC | EXITKILL)
        _ptrace(CONT_SYSCALL, stopped, 0)
        while True:
            try:
                thread, status = os.waitpid(-1, ALL_THREADS)
            except ChildProcessError:
                return
            try:
                self._stopped(thread, status)
            except BaseException:
                self._kill()
                raise

    def _stopped(self, thread: int, status: int) -> None:
        if not os.WIFSTOPPED(status):
            self.threads.discard(thread)
            if thread == self.child:
                self.traced.status = os.waitstatus_to_exitcode(status)
            return
        number, passed_on = os.WSTOPSIG(status), 0
        if number == AT_SYSCALL:
            self._at_syscall(thread)
        elif thread not in self.threads:
            self.threads.add(thread)  # it is new, and its first stop is for us
        elif not status >> 16:
            passed_on = number
        with contextlib.suppress(ProcessLookupError):
            _ptrace(CONT_SYSCALL, thread, passed_on)

    def _at_syscall(self, thread: int) -> None:
        info = _Info()
        with contextlib.suppress(ProcessLookupError):
            _ptrace(GET_SYSCALL_INFO, thread, ctypes.sizeof(info), ctypes.byref(info))
        if info.op == ENTRY and not self.traced.killed:
            self._entered(thread, info.words[0], tuple(info.words[1:7]))
        elif info.op == EXIT and (call := self.calls.pop(thread, None)):
            self.traced.ops.append(call.done(ctypes.c_int64(info.words[0]).value, self.root))

    def _entered(self, thread: int, number: int, args: tuple[int, ...]) -> None:
        call = at_entry(thread, number, args, self.root)
        if call is None:
            if self.record and NAMES.get(number) == "write" and self._is_said(thread, args[0]):
                self.traced.ops.append(Op("said", data=Call(thread, "write", args, []).written()))
            return
        self.traced.points.append(f"{call.name} {' '.join(below(path, self.root) for path in call.paths)}")
        if self.kill_at == len(self.traced.points) - 1:
            self._kill()
        elif self.record:
            self.calls[thread] = call

    def _is_said(self, thread: int, descriptor: int) -> bool:
        return os.readlink(f"/proc/{thread}/fd/{descriptor}") == self.pipe

    def _kill(self) -> None:
        self.traced.killed = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child, signal.SIGKILL)
        for thread in self.threads:
            with contextlib.suppress(ProcessLookupError):
                os.kill(thread, signal.SIGKILL)


def _play_traced(play: Callable[[int], None], speak: int) -> None:
    """Be followed from here on, play, and end whatever happens."""
    code = 1
    try:
        os.setpgid(0, 0)
        signal.alarm(PATIENCE)
        _ptrace(TRACEME, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        play(speak)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _require_linux() -> None:
    if not NAMES:
        raise RefusedError(f"crash tests follow system calls on Linux, x86-64 or aarch64, not on {platform.platform()}")


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def _ptrace(request: int, thread: int, data: object, place: object = None) -> None:
    """`data` is the fourth argument, or the third where `place` is the fourth."""
    words = (None, data) if place is None else (data, place)
    if _libc.ptrace(request, thread, *words) < 0:
        number = ctypes.get_errno()
        said = os.strerror(number)
        if request in (TRACEME, SET_OPTIONS, GET_SYSCALL_INFO) and number in (1, 5, 22, 38):
            raise RefusedError(f"ptrace says {said!r}: {NEEDS}")
        raise OSError(number, said)
