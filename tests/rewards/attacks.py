"""Hostile programs, and programs that try to pass without being right."""

from __future__ import annotations

from tests.rewards.programs import sections

# Each leaves as it came what it tries to change, and none is right. CANARY, PORT and HOST are the test's own.
HOSTILE = sections(r"""
## fork
import os
def f(x):
    while True:
        os.fork()

## fork by system call
import ctypes
def f(x):
    while True:
        assert ctypes.CDLL(None).syscall(57) >= 0

## processes
import subprocess, sys
def f(x):
    return subprocess.run([sys.executable, '-c', 'print(4)'])

## threads
import threading
def f(x):
    threading.Thread(target=f, args=(x,)).start()
    f(x)

## endless
def f(x):
    while True:
        pass

## endless before any question
while True:
    pass

## asleep
import time
def f(x):
    time.sleep(1e6)

## stopped
import os, signal
def f(x):
    os.kill(os.getpid(), signal.SIGSTOP)

## deaf to signals
import signal
for n in range(1, 65):
    try:
        signal.signal(n, signal.SIG_IGN)
    except Exception:
        pass
while True:
    pass

## ten gigabytes
def f(x):
    return len(bytearray(10 << 30))

## ten gigabytes by and by
def f(x):
    while True:
        x = [x] * 100

## a long integer
def f(x):
    return 7 ** 10 ** 9

## write
def f(x):
    return open(CANARY, 'w').write('dead')

## remove
import os
def f(x):
    return os.unlink(CANARY) or 4

## symbolic link
import os
def f(x):
    os.symlink(CANARY, '/tmp/link')
    return open('/tmp/link', 'w').write('dead')

## climb
import os
def f(x):
    os.chdir('/tmp')
    return open('../' * 40 + CANARY.lstrip('/')).read()

## look around
import os
def f(x):
    return os.listdir(os.path.dirname(CANARY))

## the user's home
import os
def f(x):
    return open(os.path.join(HOME, '.profile')).read() and 4

## change the library
import json
def f(x):
    return open(json.__file__, 'a').write('x')

## connect
import socket
def f(x):
    return socket.create_connection(('127.0.0.1', PORT), 1)

## kill the parent
import os
def f(x):
    os.kill(os.getppid(), 9)
    os.kill(HOST, 9)

## kill all
import os
def f(x):
    os.kill(-1, 9)
    os.killpg(0, 9)

## fill the disk
def f(x):
    for n in range(10 ** 9):
        open(f'/tmp/{n}', 'w').write('x' * 65536)

## output
import os
def f(x):
    while True:
        os.write(1, b'x' * 65536)

## print
def f(x):
    while True:
        print('x' * 65536)

## close
import os
def f(x):
    os.closerange(0, 1024)
    return 4

## flood
import os
def f(x):
    while True:
        for fd in range(64):
            try:
                os.write(fd, b'\0' * 65536)
            except OSError:
                pass

## open
def f(x):
    return [open(__import__('json').__file__) for _ in range(999)]

## a large answer
def f(x):
    return 'x' * (1 << 25)

## an endless answer
import itertools
def f(x):
    return itertools.repeat(4)

## a deep answer
def f(x):
    for _ in range(10 ** 5):
        x = [x]
    return x

## crash
import ctypes
def f(x):
    ctypes.string_at(0)
""")

# What programs try in order to pass. The tests want f(2) == 4 and f(3) == 6.
_EQUAL = """
class A:
    def __eq__(self, o): return True
    __hash__ = __ne__ = __lt__ = __le__ = __sub__ = __rsub__ = __contains__ = lambda *a: 0
"""
FORGED = sections(
    r"""
## say so
print('passed')
def f(x):
    print('passed')

## say so everywhere
import os
for fd in range(3, 64):
    try:
        os.write(fd, b'passed')
    except OSError:
        pass

## leave
import os
os._exit(0)

## leave when asked
import os
def f(x):
    os._exit(0)

## exit
import sys
sys.exit(0)

## exit when asked
import sys
def f(x):
    sys.exit(0)

## leave while leaving
import atexit, os
atexit.register(os._exit, 0)
raise SystemExit(0)

## become another program
import os, sys
os.execv(sys.executable, ['python', '-c', 'print("passed")'])

## equal to all
EQUAL
def f(x):
    return A()

## a list of what is equal to all
EQUAL
def f(x):
    return [A()]

## a number equal to all
class A(int):
    __hash__ = int.__hash__
    def __eq__(self, o): return True
def f(x):
    return A(5)

## a text equal to all
class A(str):
    __hash__ = str.__hash__
    def __eq__(self, o): return True
def f(x):
    return A()

## any attribute
class A:
    def __getattr__(self, name): return lambda *a: True
def f(x):
    return A()

## a check of its own
def check(candidate):
    pass
def f(x):
    pass

## patch the language
import builtins
builtins.AssertionError = builtins.Exception = type('E', (BaseException,), {})
builtins.__build_class__ = builtins.print = builtins.isinstance = builtins.abs = lambda *a: True
def f(x):
    pass

## patch the modules
import sys
for module in list(sys.modules.values()):
    for name in list(vars(module)):
        if name in ('check', 'judge', 'ask', 'run', '_run', '_verdict', 'dumps'):
            setattr(module, name, lambda *a: 'passed')
def f(x):
    pass

## patch the stack
import sys
def f(x):
    frame = sys._getframe()
    while frame:
        for name, value in list(frame.f_globals.items()) + list(frame.f_locals.items()):
            if callable(value) and not name.startswith('__'):
                frame.f_globals[name] = lambda *a, **k: True
        frame = frame.f_back

## search memory
import gc, re
def f(x):
    for thing in gc.get_objects():
        found = re.search(r'\(%d\) == (\d+)' % x, str(thing)[:9999])
        if found:
            return int(found[1])

## search files
import os, re
def f(x):
    for folder, _, names in os.walk('/tmp'):
        for name in names:
            return int(re.search(r'\(%d\) == (\d+)' % x, open(os.path.join(folder, name)).read())[1])

## hooks
import os, sys
sys.settrace(lambda *a: None)
sys.setprofile(lambda *a: None)
sys.excepthook = sys.unraisablehook = lambda *a: os._exit(0)
def f(x):
    raise AssertionError

## skip
import unittest
def f(x):
    raise unittest.SkipTest('ok')

## interrupt
def f(x):
    raise KeyboardInterrupt

## stop the iteration
def f(x):
    raise StopIteration

## answer before the question
import json, os
message = json.dumps([['value', 4, [], ''], []]).encode()
for fd in range(64):
    try:
        os.write(fd, len(message).to_bytes(8, 'big') + message)
    except OSError:
        pass

## answer with code
import os, pickle
class E:
    def __reduce__(self): return os._exit, (0,)
message = pickle.dumps(E())
for fd in range(3, 64):
    try:
        os.write(fd, len(message).to_bytes(8, 'big') + message)
    except OSError:
        pass

## answer with what the tests have
import os
for message in (b'[["value",{"reference":["yours",0]},[],""],[]]', b'[["call",0,{"tuple":[]},{"dict":[]}],[]]'):
    for fd in range(3, 64):
        try:
            os.write(fd, len(message).to_bytes(8, 'big') + message)
        except OSError:
            pass

## shadow what the tests use
def isinstance(*a):
    return True
def abs(x):
    return 0
int = str = f = lambda x: 0
""".replace("EQUAL", _EQUAL)
)
