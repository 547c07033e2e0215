"""Programs to be judged: right ones with their tests, hostile ones, and ones that try to pass without being right."""

from __future__ import annotations

#: A task that gives a helper and the head of a function, and a body for it.
GIVEN = '''from math import floor


def helper(value):
    """Halve."""
    return value / 2


def largest(numbers):
    """Return the largest of the numbers.
    >>> largest([1, 3])
    3
    """
'''
BODY = """    best = numbers[0]
    for number in numbers:
        if number > best:
            best = number
    return best
"""


def sections(text: str) -> dict[str, str]:
    """Divide a text at its lines `## name`."""
    parts = [part.partition("\n") for part in text.split("\n## ")[1:]]
    return {name: body.rstrip("\n") + "\n" for name, _, body in parts}


def pairs(text: str) -> dict[str, tuple[str, str]]:
    """Divide sections at their line `--` into a program and its tests."""
    divided = {name: body.partition("--\n") for name, body in sections(text).items()}
    return {name: (program, tests) for name, (program, _, tests) in divided.items()}


RIGHT = pairs(r"""
## a function
def f(x):
    return 2 * x
--
assert f(2) == 4

## arguments of every kind
f = lambda *a, **k: [a, k]
--
assert f(1, b=(2,)) == [(1,), {'b': (2,)}]

## values come back as they went
def f(x):
    return x
--
for v in (None, True, 1 << 99, -0.5, float('inf'), 'é\ud800', b'a', {1: {2}}, frozenset({3}), range(3), 1j):
    assert f(v) == v and type(f(v)) is type(v)

## values of standard types
from collections import *
from datetime import *
from decimal import *
def f():
    zone = timezone(timedelta(hours=1))
    return [Decimal('0.1'), datetime(2020, 1, 2, tzinfo=zone), Counter('aab'), defaultdict(list, a=[1]), deque('ab', 3)]
--
import collections, datetime, decimal
number, moment, counts, lists, queue = f()
assert number == decimal.Decimal('0.1') and moment.utcoffset() == datetime.timedelta(hours=1)
assert counts == {'a': 2, 'b': 1} and lists['a'] == [1] and lists['b'] == [] and queue.maxlen == 3
assert type(counts) is collections.Counter

## a list changed in place
def f(x):
    x.sort()
--
a = [2, 1]
assert f(a) is None and a == [1, 2]

## a set changed inside
def f(x):
    x['a'].add(3)
--
a = {'a': {1}}
f(a)
assert a == {'a': {1, 3}}

## a generator
def f(n):
    for i in range(n):
        yield i * i
--
assert list(f(3)) == [0, 1, 4] and next(f(1)) == 0 and sum(f(3)) == 5

## an endless iterator
import itertools
f = itertools.count
--
import itertools
assert list(itertools.islice(f(5), 2)) == [5, 6]

## a function of the tests
def f(g, x):
    return [g(y) for y in x]
--
assert f(lambda y: y + 1, iter([1, 2])) == [2, 3]
assert f(str, (1, 2)) == ['1', '2']

## functions of both
def f(g):
    return g(lambda x: x * 3)
--
assert f(lambda h: h(2)) == 6

## an error
def f(x):
    if x < 0:
        raise ValueError('negative', x)
--
try:
    f(-1)
except ValueError as e:
    assert e.args == ('negative', -1)
else:
    assert False

## an error of its own
class Empty(KeyError):
    pass
def f():
    raise Empty('x')
--
try:
    f()
except Empty as e:
    assert isinstance(e, KeyError)
else:
    assert False

## an error of the tests
def f(g):
    try:
        g()
    except LookupError as e:
        return e.args
--
def g():
    raise KeyError('a')
assert f(g) == ("'a'",)

## a class
class Stack:
    def __init__(self):
        self.items = []
    def push(self, x):
        self.items.append(x)
    def __len__(self):
        return len(self.items)
    def __iter__(self):
        return iter(self.items)
    def __getitem__(self, n):
        return self.items[n]
    def __str__(self):
        return 'S'
--
s = Stack()
assert not s
s.push(3)
assert len(s) == 1 and s.items == [3] and s[0] == 3 and 3 in s and 4 not in s and f'{s}' == 'S'
assert isinstance(s, Stack) and not isinstance(3, Stack)
s.size = 5
assert s.size == 5 and not hasattr(s, 'pop')

## operators of a class
class V:
    def __init__(self, x):
        self.x = x
    def __add__(self, o):
        return V(self.x + o.x)
    def __eq__(self, o):
        return self.x == o.x
--
assert V(1) + V(2) == V(3) and V(1) != V(2)

## what extends a plain value
import collections, enum
E = enum.IntEnum('E', 'A B')
P = collections.namedtuple('P', 'x y')
--
assert E.B == 2 and E.A < E.B and P(1, 2) == (1, 2) and P(1, 2).y == 2 and {2: 'b'}[E.B] == 'b'

## a coroutine
async def f(x):
    return x + 1
--
import asyncio
assert asyncio.run(f(1)) == 2

## what is printed
def f():
    print('hi')
--
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as out:
    f()
assert out.getvalue() == 'hi\n'

## a module that only the program imports
import math
def f(x):
    return math.sqrt(x)
--
assert math.isclose(f(4), 2)

## a type
def f(x):
    return type(x)
--
assert f(1) is int

## recursion
def f(n):
    return f(n - 1) if n else 0
--
assert f(900) == 0

## a main part that is not run
def f(x):
    return 2 * x
if __name__ == '__main__':
    f(input())
--
assert f(1) == 2

## threads
import threading
def f(x):
    done = []
    thread = threading.Thread(target=done.append, args=(x,))
    thread.start()
    thread.join()
    return done
--
assert f(1) == [1]

## a test case
def f(x):
    return 2 * x
--
import unittest
class T(unittest.TestCase):
    def test(self):
        self.assertEqual(f(2), 4)
unittest.main()
""")
