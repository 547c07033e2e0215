"""A parser of final answers: LaTeX or plain text becomes a tree; nothing is evaluated.

The grammar, loosest first: lists (`,` `or` `and`), relations, unions of sets, sums, products (also implicit), signs,
powers, and then the atoms of `rewards.maths.atoms`.
"""

from __future__ import annotations

from functools import lru_cache

from rewards.maths.atoms import CURRENCIES, END, Atoms
from rewards.maths.layout import DOLLAR, clean
from rewards.maths.tokens import UnreadableError, tokenize
from rewards.maths.tree import Node, negative, number, product, quotient

MAX_TOKENS = 600
_RELATIONS = frozenset(("=", "<", ">", "<=", ">=", "!=", "~", "in"))
_SET_OPERATORS = {"cup": "union", "cap": "intersection", "setminus": "difference"}
_CLOSERS = frozenset(("", "}", ")", "]", "\\}"))
# Words that deny or doubt what they stand beside, or name something else: a value next to them is no answer.
_DOUBTS = frozenset(
    "not no isn't never neither nor except but cannot without unless false wrong unknown or either maybe "
    "possibly".split()
)
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}


@lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """Parse an answer.

    Raises:
        UnreadableError: if the text is no answer of this grammar.

    Example:
        >>> parse("x = 5 \\\\text{ cm}")
        Node(kind='relation', parts=(Node(kind='symbol', parts=(), value='x'),
            Node(kind='unit', parts=(Node(kind='number', parts=(), value='5'),), value='cm')), value='=')
    """
    tokens = tokenize(clean(text))
    if not tokens or len(tokens) > MAX_TOKENS:
        raise UnreadableError("empty or too long")
    try:
        return _Parser(tokens).whole()
    except RecursionError:  # rows of signs or empty groups; the caller may stand deep in the stack itself
        raise UnreadableError("too deep") from None


def is_readable(text: str) -> bool:
    """Tell whether `parse` reads a text."""
    try:
        parse(text)
    except UnreadableError:
        return False
    return True


class _Parser(Atoms):
    def whole(self) -> Node:
        node = self.answer()
        if self.peek() is not END:
            raise UnreadableError(self.peek().value)
        return node

    # Lists, relations and sets

    def answer(self) -> Node:
        self.deeper()
        items, joiners = [self.item()], set[str]()
        while self.peek().kind in (",", "S") or self.peek() == ("C", "row"):
            joiner = self.next()
            while self.peek().kind in (",", "S"):
                joiner = self.next()
            joiners.add("or" if joiner.value == "or" else "and" if joiner.kind == "S" else ",")
            if self.peek().kind in _CLOSERS:
                break
            items.append(self.item())
        self.depth -= 1
        if len(items) == 1:
            return items[0]
        return Node("list", tuple(items), "or" if "or" in joiners else "and" if "and" in joiners else ",")

    def item(self) -> Node:
        if not self.take("="):
            self.take("~")
        label = self.words()
        if label and (self.peek().kind in _CLOSERS or self.peek().kind in (",", "S")):
            return Node("words", (), label)
        if label and self.peek().kind == "=":
            first = Node("symbol", (), label)
        else:
            if label:
                self.take(":")
            first = self.measured()
        parts, operators = [first], list[str]()
        while self.peek().kind in _RELATIONS:
            operators.append(self.next().kind)
            self.words()
            parts.append(self.measured())
        return Node("relation", tuple(parts), " ".join(operators)) if operators else first

    def words(self) -> str:
        found = list[str]()
        while self.peek().kind == "T" and self.peek().value not in ("%", "¢", *CURRENCIES):
            found.append(self.next().value)
        return _undoubted(" ".join(found))

    def measured(self) -> Node:
        """Parse a value with its unit, a ratio, or sets joined by their operators."""
        self.money = False
        node = self.unit(self.sum())
        if self.peek().kind == ":" and self.peek(1).kind == "N" and node.kind not in ("symbol", "reals"):
            parts = [node]
            while self.take(":"):
                parts.append(self.sum())
            node = self.unit(Node("ratio", tuple(parts)))
        while self.peek().kind == "C" and self.peek().value in _SET_OPERATORS:
            node = Node(_SET_OPERATORS[self.next().value], (node, self.sum()))
        return Node("difference", (node, self.sum())) if self.take("\\") else node

    # Units

    def unit(self, node: Node) -> Node:
        money, unit = self.take(DOLLAR) or self.money, list[str]()
        while self.peek().kind == "T" or self.is_bracketed_word():
            bracketed = self.take("(")
            unit.append(self.next().value)
            if bracketed:
                self.expect(")")
            if self.take("^"):
                unit[-1] += self.unit_exponent()
            if self.peek().kind in ("/", "*") and self.peek(1).kind == "T":
                unit.append(self.next().kind)
        words = _undoubted(" ".join(unit))
        if "^" not in words and any(map(str.isdigit, words)):
            raise UnreadableError(words)
        while (scale := words.partition(" ")[0].lower()) in _SCALES:
            node = product((node, number("1" + "0" * _SCALES[scale])))
            words = words.partition(" ")[2]
        if money and not words.startswith("cent"):
            words = "$"
        return Node("unit", (node,), words) if words else node

    def is_bracketed_word(self) -> bool:
        return self.peek().kind == "(" and self.peek(1).kind == "T" and self.peek(2).kind == ")"

    def unit_exponent(self) -> str:
        grouped, sign, digits = self.take("{"), "-" if self.take("-") else "", self.next()
        if digits.kind != "N":
            raise UnreadableError(digits.value)
        if grouped:
            self.expect("}")
        return f"^{sign}{digits.value}"

    # Arithmetic

    def sum(self) -> Node:
        self.deeper()
        terms = [self.signed()]
        while True:
            if self.take("+"):
                terms.append(self.signed())
            elif self.take("-"):
                terms.append(negative(self.signed()))
            elif sign := self.either_sign():
                left = terms[0] if len(terms) == 1 else Node("sum", tuple(terms))
                terms = [Node("choice", (left, self.signed()), sign)]
            else:
                break
        self.depth -= 1
        return terms[0] if len(terms) == 1 else Node("sum", tuple(terms))

    def either_sign(self) -> str:
        """Step over plus-or-minus."""
        return "pm" if self.take("C", "pm") else "mp" if self.take("C", "mp") else ""

    def signed(self) -> Node:
        minus = False
        while self.peek().kind in ("+", "-"):
            minus ^= self.next().kind == "-"
        sign = self.either_sign()
        node = Node("choice", (number(0), self.product()), sign) if sign else self.product()
        return negative(node) if minus else node

    def product(self) -> Node:
        factors = [self.power()]
        while True:
            if self.take("*"):
                factors.append(self.signed_power())
            elif self.take("/"):
                factors = [quotient(product(factors), self.signed_power())]
            elif self.starts_factor():
                factors.append(self.power())
            else:
                return product(factors)

    def signed_power(self) -> Node:
        if self.take("-"):
            return negative(self.signed_power())
        self.take("+")
        return self.power()

    def power(self) -> Node:
        node = self.postfix(self.atom())
        if not self.take("^"):
            return node
        if self.take_raised("circ"):
            return self.postfix(Node("degrees", (node,)))
        if self.take_raised("prime"):
            return _primed(node)
        return self.postfix(Node("power", (node, self.exponent())))

    def take_raised(self, name: str) -> bool:
        grouped = self.peek().kind == "{" and self.peek(1) == ("C", name) and self.peek(2).kind == "}"
        if not grouped and self.peek() != ("C", name):
            return False
        self.place += 3 if grouped else 1
        return True

    def exponent(self) -> Node:
        if self.take("-"):
            return negative(self.exponent())
        self.take("+")
        base = self.atom()
        return Node("power", (base, self.exponent())) if self.take("^") else base

    def postfix(self, node: Node) -> Node:
        while True:
            if self.take("!"):
                node = Node("factorial", (node,))
            elif self.take("'"):
                node = _primed(node)
            elif self.take("C", "circ"):
                node = Node("degrees", (node,))
            else:
                return node


def _primed(node: Node) -> Node:
    if node.kind not in ("symbol", "apply"):
        raise UnreadableError(f"a prime after {node.kind}")
    return Node("symbol", (), node.value + "'")


def _undoubted(words: str) -> str:
    if words and not _DOUBTS.isdisjoint(words.lower().split()):
        raise UnreadableError(words)
    return words
