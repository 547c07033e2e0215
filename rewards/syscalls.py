"""The system calls that a sandboxed program may not make, as a classic BPF filter for `bwrap --seccomp`.

Namespaces and resource limits leave three gaps that the filter closes: memory that no limit of a process counts
(shared segments, anonymous files, message queues, watches), a second process (which would have the whole memory limit
once more; threads are allowed and share it), and sockets of families that no network namespace confines (vsock).
Source: Linux, Documentation/userspace-api/seccomp_filter.rst; numbers from the kernel's system call tables.
"""

from __future__ import annotations

import platform
import struct
from functools import lru_cache
from typing import NamedTuple

from rewards.errors import RaifError

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little-endian
_KILL, _ERROR, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_EPERM, _ENOSYS = 1, 38
_CLONE_THREAD = 0x00010000
_X32_BIT = 0x40000000  # x86-64's second table of the same calls under other numbers


class _Machine(NamedTuple):
    audit: int
    clone: int
    denied: tuple[int, ...]


# fork vfork ptrace process_vm_readv process_vm_writev unshare setns mount umount2 pivot_root chroot add_key request_key
# keyctl bpf perf_event_open userfaultfd memfd_create shmget semget msgget mq_open open_by_handle_at socket
# inotify_init inotify_init1 fanotify_init (the tables of other architectures have no fork, vfork and inotify_init)
_X86_64 = (57, 58, 101, 310, 311, 272, 308, 165, 166, 155, 161, 248, 249, 250, 321, 298, 323, 319, 29, 64, 68, 240, 304)
_AARCH64 = (117, 270, 271, 97, 268, 40, 39, 41, 51, 217, 218, 219, 280, 241, 282, 279, 194, 190, 186, 180, 265)
# io_uring_setup open_tree move_mount fsopen pidfd_getfd mount_setattr memfd_secret: the same number everywhere
_COMMON = (425, 428, 429, 430, 438, 442, 447)
_CLONE3 = 435
_MACHINES = {
    "x86_64": _Machine(0xC000003E, 56, (*_X86_64, 41, 253, 294, 300, *_COMMON)),
    "aarch64": _Machine(0xC00000B7, 220, (*_AARCH64, 198, 26, 262, *_COMMON)),
}


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def _deny(number: int, error: int = _EPERM) -> bytes:
    return _step(_EQUAL, number, 0, 1) + _step(_RETURN, _ERROR | error)


@lru_cache(maxsize=4)
def filter_program(machine: str = "") -> bytes:
    """Return the filter for a machine (`platform.machine()` unless named).

    `clone` may only start threads. `clone3` hides its flags in memory where no filter can look: it is answered "not
    implemented", upon which the C library uses `clone`.

    Errors: `RaifError` for an architecture whose numbers are not known.

    Example:
        >>> len(filter_program("x86_64")) % 8
        0
    """
    name = machine or platform.machine()
    if name not in _MACHINES:
        raise RaifError(f"no system call filter for {name!r}; programs are run on {', '.join(sorted(_MACHINES))}.")
    known = _MACHINES[name]
    thread_only = (
        _step(_EQUAL, known.clone, 0, 5)
        + _step(_LOAD, _FIRST_ARGUMENT)
        + _step(_AND, _CLONE_THREAD)
        + _step(_EQUAL, 0, 0, 1)
        + _step(_RETURN, _ERROR | _EPERM)
        + _step(_RETURN, _ALLOW)
    )
    return b"".join(
        (
            _step(_LOAD, _ARCHITECTURE),
            _step(_EQUAL, known.audit, 1, 0),
            _step(_RETURN, _KILL),
            _step(_LOAD, _NUMBER),
            _step(_AT_LEAST, _X32_BIT, 0, 1),
            _step(_RETURN, _ERROR | _ENOSYS),
            thread_only,
            _deny(_CLONE3, _ENOSYS),
            *map(_deny, known.denied),
            _step(_RETURN, _ALLOW),
        )
    )
