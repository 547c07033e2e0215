"""The inner half of the parser: numbers, symbols, calls, brackets, and the commands of LaTeX."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rewards.maths.layout import DOLLAR
from rewards.maths.tokens import Token, UnreadableError
from rewards.maths.tree import EMPTY_SET, INFINITY, REALS, Node, items_of, negative, number, product, quotient

MAX_DEPTH = 80
END = Token("", "")
CURRENCIES = ("€", "£", "¥")
_MATRICES = frozenset(("matrix", "pmatrix", "bmatrix", "smallmatrix", "array", "vmatrix", "Bmatrix"))
_PLAIN_ENVIRONMENTS = frozenset(("aligned", "align", "equation", "gather", "gathered", "split", "math", "displaymath"))
_DECORATIONS = frozenset(("overline", "bar", "hat", "vec", "dot", "ddot", "tilde", "widehat", "underline"))
_CLOSERS = {"(": ")", "[": "]", "\\{": "\\}", "{": "}", "langle": "rangle", "lfloor": "rfloor", "lceil": "rceil"}
_FACTORS = frozenset("frac binom pi infty lfloor lceil langle".split()) | _DECORATIONS
_MINUS_ONE = negative(number(1))


class Atoms(ABC):
    """A place in a row of tokens, and what can be parsed there without looking at the operators around it."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = [*tokens, END, END, END, END]  # so that a look ahead finds something
        self.place, self.depth, self.bars, self.money = 0, 0, 0, False

    @abstractmethod
    def answer(self) -> Node:
        """Parse everything up to a closing token."""

    @abstractmethod
    def item(self) -> Node:
        """Parse one item of a list."""

    @abstractmethod
    def sum(self) -> Node:
        """Parse an arithmetic expression."""

    @abstractmethod
    def power(self) -> Node:
        """Parse an atom and what is attached to it."""

    @abstractmethod
    def exponent(self) -> Node:
        """Parse what stands behind a caret."""

    # The cursor

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[self.place + ahead]

    def next(self) -> Token:
        token = self.tokens[self.place]
        if token is not END:
            self.place += 1
        return token

    def take(self, kind: str, value: str = "") -> bool:
        """Step over the next token if it is of this kind."""
        token = self.tokens[self.place]
        if token.kind != kind or (value and token.value != value):
            return False
        self.place += 1
        return True

    def expect(self, kind: str) -> None:
        token = self.next()
        if token.kind != kind and token != ("C", kind):
            raise UnreadableError(f"{kind} expected, not {token.value}")

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnreadableError("too deep")

    # Numbers and symbols

    def atom(self) -> Node:
        token = self.next()
        match token.kind:
            case "N":
                return self.number(token.value)
            case "L":
                return self.symbol(token.value)
            case "F":
                return self.call(token.value)
            case "(" | "[" | "{" | "\\{":
                return self.group(token.kind)
            case "|":
                return self.absolute()
            case "begin":
                return self.environment(token.value)
            case "C":
                return self.command(token.value)
            case "T" if token.value in CURRENCIES:
                return Node("unit", (self.atom(),), token.value)
        if token.kind == DOLLAR:
            self.money = True
            return negative(self.atom()) if self.take("-") else self.power()
        raise UnreadableError(token.value or "the end")

    def number(self, digits: str) -> Node:
        """Parse what may follow a number: a base, a repeating block, or the fraction of a mixed number."""
        if self.take("_"):
            return Node("based", (), f"{digits}_{self.subscript()}")
        if "." in digits and self.take("C", "overline"):
            return Node("repeating", (), f"{digits}_{self.subscript()}")
        if "." in digits and self.take("..."):
            return Node("ellipsis", (), digits)
        fraction = self.proper_fraction() if digits.isdigit() else None
        return Node("sum", (number(digits), fraction)) if fraction else number(digits)

    def proper_fraction(self) -> Node | None:
        """Step over 1/3 or \\\\frac{1}{3} behind a number; what is no proper fraction stays to be read as a product."""
        if self.peek().kind == "N" and self.peek(1).kind == "/" and self.peek(2).kind == "N":
            top, bottom = self.peek().value, self.peek(2).value
            self.place += 3
            return quotient(number(top), number(bottom))
        if self.peek() != ("C", "frac"):
            return None
        place, digits = 1, list[str]()
        while len(digits) < 2:
            token = self.peek(place)
            if token.kind == "{" and self.peek(place + 1).kind == "N" and self.peek(place + 2).kind == "}":
                digits.append(self.peek(place + 1).value)
                place += 3
            elif token.kind == "N" and len(token.value) == 2 - len(digits):
                digits += token.value
                place += 1
            else:
                return None
        if not all(map(str.isdigit, digits)) or not 0 < int(digits[0]) < int(digits[1]):
            return None
        self.place += place
        return quotient(number(digits[0]), number(digits[1]))

    def symbol(self, name: str) -> Node:
        if self.take("_"):
            name = f"{name}_{self.subscript()}"
        while self.take("'"):
            name += "'"
        if self.peek().kind == "(" and self.is_application(name):
            self.next()
            inside = self.answer()
            self.expect(")")
            return Node("apply", items_of(inside), name)
        return Node("symbol", (), name)

    def is_application(self, name: str) -> bool:
        """Tell f(...) from a product: f, g and h are functions, and so is any name before one bracketed token."""
        single = self.peek(2).kind == ")" and self.peek(1).kind in ("N", "L")
        return name.partition("_")[0].strip("'") in tuple("fghFGH") or (single and name not in ("e", "i"))

    def subscript(self) -> str:
        """Return the text of a subscript or decoration: one token or a group, without spaces."""
        token = self.next()
        if token.kind != "{":
            return token.value
        text, depth = list[str](), 1
        while (token := self.next()).kind:
            depth += {"{": 1, "}": -1}.get(token.kind, 0)
            if depth == 0:
                return "".join(text)
            text.append(token.value)
        raise UnreadableError("an open group")

    # Brackets

    def absolute(self) -> Node:
        self.bars += 1
        inside = self.sum()
        self.bars -= 1
        self.expect("|")
        return Node("call", (inside,), "abs")

    def group(self, opener: str) -> Node:
        if opener == "{" and self.take("}"):
            return self.atom()
        if opener == "\\{" and self.take("\\}"):
            return EMPTY_SET
        bars, self.bars = self.bars, int(opener == "\\{")  # in a set, a bar is no absolute value
        inside = self.answer()
        can_be_bound = opener == "\\{" and inside.kind in ("symbol", "relation")
        condition = can_be_bound and (self.take("|") or self.take(":"))
        if condition:
            inside = self.answer()  # set-builder notation: the condition says it all
        self.bars = bars
        if opener == "{" and self.peek().value in ("choose", "over"):
            return self.infix(inside)
        end = self.next().kind
        if end != _CLOSERS[opener] and not (inside.kind == "list" and opener in "([" and end in (")", "]")):
            raise UnreadableError(f"{opener} closed by {end}")
        if condition or (inside.kind != "list" and opener != "\\{"):
            return inside
        if opener == "{":
            return inside  # braces that TeX does not print
        brackets = "{}" if opener == "\\{" else opener + end
        return Node("group", inside.parts if inside.kind == "list" else (inside,), brackets)

    def infix(self, left: Node) -> Node:
        """Parse the rest of {n \\\\choose k} or {a \\\\over b}."""
        name = self.next().value
        right = self.answer()
        self.expect("}")
        return quotient(left, right) if name == "over" else Node("call", (left, right), "binom")

    def environment(self, name: str) -> Node:
        if name in _MATRICES:
            return self.matrix(name)
        if name not in _PLAIN_ENVIRONMENTS:
            raise UnreadableError(name)
        while self.take("&"):
            pass
        inside = self.answer()
        self.expect("end")
        return inside

    def matrix(self, name: str) -> Node:
        if name == "array" and self.peek().kind == "{":
            self.subscript()  # the alignment of its columns
        rows = [[self.item()]]
        while not self.take("end"):
            if self.take("&"):
                rows[-1].append(self.item())
            else:
                self.expect("row")
                if self.peek().kind != "end":
                    rows.append([self.item()])
        if len({len(row) for row in rows}) > 1:
            raise UnreadableError("a matrix with rows of different lengths")
        matrix = Node("matrix", tuple(Node("row", tuple(row)) for row in rows))
        return Node("call", (matrix,), "det") if name == "vmatrix" else matrix

    # Commands and calls

    def command(self, name: str) -> Node:
        match name:
            case "pi":
                return Node("constant", (), "pi")
            case "infty":
                return INFINITY
            case "reals":
                return REALS
            case "emptyset":
                return EMPTY_SET
            case "frac":
                return quotient(self.argument(), self.argument())
            case "binom":
                return Node("call", (self.argument(), self.argument()), "binom")
            case "lfloor" | "lceil" | "langle":
                inside = self.answer()
                self.expect(_CLOSERS[name])
                if name == "langle":
                    return Node("group", items_of(inside), "()")
                return Node("call", (inside,), "floor" if name == "lfloor" else "ceil")
        if name in _DECORATIONS:
            inner = self.subscript()
            return self.symbol(inner if name in ("vec", "underline") and inner else f"{name}-{inner}")
        raise UnreadableError(name)

    def argument(self, whole_number: bool = False) -> Node:
        """Parse the argument of a command: a group, or one token, of which a number gives one digit."""
        token = self.peek()
        if token.kind == "N" and not whole_number and len(token.value) > 1:
            self.tokens[self.place] = Token("N", token.value[1:])
            return number(token.value[0])
        if token.kind == "N":
            return number(self.next().value)
        return self.group(self.next().kind) if token.kind == "{" else self.atom()

    def call(self, name: str) -> Node:
        if name == "sqrt":
            return self.root()
        base = power = None
        while self.peek().kind in ("_", "^"):
            if self.next().kind == "_":
                base = self.argument(whole_number=True)
            else:
                power = self.exponent()
        inside = self.call_arguments()
        if base is not None:
            if name != "log":
                raise UnreadableError(f"{name} with a subscript")
            inside = (*inside, base)
        if power == _MINUS_ONE:
            return Node("call", inside, f"arc{name}")
        node = Node("call", inside, name)
        return node if power is None else Node("power", (node, power))

    def root(self) -> Node:
        index = number(2)
        if self.take("["):
            index = self.answer()
            self.expect("]")
        return Node("power", (self.argument(whole_number=True), quotient(number(1), index)))

    def call_arguments(self) -> tuple[Node, ...]:
        """Parse bracketed arguments, or the product that follows up to the next function, bracket or sign."""
        self.deeper()
        if self.peek().kind in ("(", "[", "{"):
            inside = self.group(self.next().kind)
            parts: tuple[Node, ...] = inside.parts if inside.kind == "group" else (inside,)
        else:
            sign, factors = self.take("-"), [self.power()]
            while (self.peek().kind in ("L", "N", "C") or self.peek() == ("F", "sqrt")) and self.starts_factor():
                factors.append(self.power())
            node = product(factors)
            if self.peek().kind == "/" and self.peek(1).kind == "N":
                self.next()
                node = quotient(node, number(self.next().value))
            parts = (negative(node) if sign else node,)
        self.depth -= 1
        if not parts:
            raise UnreadableError("a call of nothing")
        return parts

    def starts_factor(self) -> bool:
        """Tell whether the next token multiplies what stands before it without a sign."""
        token = self.peek()
        if token.kind in ("L", "F", "(", "[", "{", "\\{", "begin"):
            return True
        if token.kind == "N":  # two numbers side by side are no product
            return self.tokens[self.place - 1].kind != "N"
        if token.kind == "|":
            return not self.bars
        return token.kind == "C" and token.value in _FACTORS
