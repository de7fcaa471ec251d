"""Kills a process at one of its system calls. For programs of their own, since it forks."""

import ctypes
import os
import signal
import traceback
from collections.abc import Callable

PTRACE_TRACEME = 0
PTRACE_SYSCALL = 24

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def killed_at(process: Callable[[], object], calls: int) -> bool:
    """Run a process and kill it before a system call that it makes once traced; false where it makes fewer."""
    pid = forked(process)
    _, status = os.waitpid(pid, 0)
    # It stops at the beginning and at the end of each call; at the beginning the call has not happened yet.
    for _ in range(2 * calls - 1):
        if os.WIFSTOPPED(status):
            assert _libc.ptrace(PTRACE_SYSCALL, pid, None, None) == 0
            _, status = os.waitpid(pid, 0)
    if os.WIFSTOPPED(status):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return True
    assert status == 0, f"the process failed: {status}"
    return False


def forked(run: Callable[[], object]) -> int:
    """A copy of this process that does this and ends, with 1 where it failed; returns its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except BaseException:  # noqa: BLE001 - the child must not go on as a copy of its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def be_traced() -> None:
    """From here on the system calls of this process, a forked one, count."""
    assert _libc.ptrace(PTRACE_TRACEME, 0, None, None) == 0
    os.kill(os.getpid(), signal.SIGSTOP)
