"""The numbers of the word problems: realistic, and such that every step and result is a whole or a decimal number.

A drawer returns the slots of a template's sentences: numbers by name, the result as `answer`, and the words that
depend on the language under `en` and `zh`.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Slots = dict[str, Any]
_STATIONERY = (
    (("notebooks", "pens"), ("本笔记本", "支笔")),
    (("folders", "markers"), ("个文件夹", "支马克笔")),
    (("sketchbooks", "pencils"), ("本素描本", "支铅笔")),
)


def decimal(hundredths: int) -> str:
    """Return a number of hundredths as a decimal number.

    Example:
        >>> decimal(1250), decimal(1200)
        ('12.50', '12')
    """
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def _stationery(rng: Random) -> Slots:
    a, b, p, q = rng.randint(2, 6), rng.randint(2, 8), rng.randint(3, 7), rng.randint(1, 3)
    first, second = a * p, b * q
    both = first + second
    paid = next(note for note in (20, 50, 100) if note > both)
    things = rng.choice(_STATIONERY)
    return {"a": a, "p": p, "b": b, "q": q, "paid": paid, "first": first, "second": second, "both": both,
            "answer": paid - both, "en": dict(zip("ij", things[0], strict=True)),
            "zh": dict(zip("ij", things[1], strict=True))}  # fmt: skip


def _discount(rng: Random) -> Slots:
    price, percent = rng.randrange(60, 261, 20), rng.choice((10, 15, 20, 25, 30, 40))
    off, coupon = price * percent // 100, rng.choice((5, 8, 10, 12))
    item = rng.choice(
        (("jacket", "件夹克"), ("backpack", "个背包"), ("coffee machine", "台咖啡机"), ("desk lamp", "盏台灯"))
    )
    return {"price": price, "percent": percent, "coupon": coupon, "off": off, "sale": price - off,
            "answer": price - off - coupon, "en": {"i": item[0]}, "zh": {"i": item[1]}}  # fmt: skip


def _savings(rng: Random) -> Slots:
    week, weeks, has = rng.randrange(10, 41, 5), rng.randint(4, 12), rng.randrange(20, 101, 10)
    saved = week * weeks
    total = saved + has
    price = total + rng.randrange(20, 121, 10)
    item = rng.choice((("bicycle", "辆自行车"), ("guitar", "把吉他"), ("tent", "顶帐篷"), ("camera", "台相机")))
    return {"price": price, "has": has, "week": week, "weeks": weeks, "saved": saved, "total": total,
            "answer": price - total, "en": {"i": item[0]}, "zh": {"i": item[1]}}  # fmt: skip


def _tickets(rng: Random) -> Slots:
    adults, children, p, q = rng.randint(2, 6), rng.randint(2, 9), rng.randint(9, 16), rng.randint(4, 8)
    first, second, off = adults * p, children * q, rng.randint(5, 15)
    place = rng.choice((("museum", "博物馆"), ("zoo", "动物园"), ("aquarium", "水族馆"), ("planetarium", "天文馆")))
    return {"adults": adults, "p": p, "children": children, "q": q, "off": off, "first": first, "second": second,
            "both": first + second, "answer": first + second - off,
            "en": {"i": place[0]}, "zh": {"i": place[1]}}  # fmt: skip


def _interest(rng: Random) -> Slots:
    principal, rate, years = rng.randrange(400, 5001, 200), rng.randint(2, 5), rng.randint(2, 6)
    yearly = principal * rate // 100
    return {"principal": principal, "rate": rate, "years": years, "yearly": yearly, "interest": yearly * years,
            "answer": principal + yearly * years}  # fmt: skip


def _phone(rng: Random) -> Slots:
    fee, included, cents = rng.randint(12, 30), rng.randrange(100, 401, 50), rng.choice((5, 8, 10, 12, 15))
    extra = rng.randint(15, 90)
    return {"fee": fee, "included": included, "rate": decimal(cents), "used": included + extra, "extra": extra,
            "charge": decimal(extra * cents), "answer": decimal(100 * fee + extra * cents)}  # fmt: skip


def _fuel(rng: Random) -> Slots:
    litres, hundreds, price = rng.randint(5, 9), rng.randint(2, 8), rng.randrange(140, 196, 5)
    total = litres * hundreds
    return {"litres": litres, "distance": 100 * hundreds, "price": decimal(price), "hundreds": hundreds,
            "total": total, "answer": decimal(total * price)}  # fmt: skip


def _wage(rng: Random) -> Slots:
    hours, wage, extra = rng.randrange(30, 41), rng.randrange(12, 29, 2), rng.randint(2, 8)
    higher = wage * 3 // 2
    return {"hours": hours, "wage": wage, "extra": extra, "higher": higher, "normal": hours * wage,
            "overtime": extra * higher, "answer": hours * wage + extra * higher}  # fmt: skip


def _parking(rng: Random) -> Slots:
    first, hours, days = rng.randint(3, 8), rng.randint(3, 9), rng.randint(2, 6)
    further = rng.randint(2, min(4, first - 1))
    rest = hours - 1
    return {"first": first, "further": further, "hours": hours, "days": days, "rest": rest, "later": rest * further,
            "day": first + rest * further, "answer": (first + rest * further) * days}  # fmt: skip


def _eggs(rng: Random) -> Slots:
    hens, eggs, price = rng.choice((24, 36, 48, 60, 72)), rng.randint(4, 6), rng.randint(3, 6)
    total = hens * eggs
    return {"hens": hens, "eggs": eggs, "price": price, "total": total, "dozens": total // 12,
            "answer": total // 12 * price}  # fmt: skip


def _commute(rng: Random) -> Slots:
    walk, wait, ride, days = rng.randint(4, 12), rng.randint(3, 9), rng.randint(15, 45), rng.randint(3, 6)
    way = walk + wait + ride
    return {"walk": walk, "wait": wait, "ride": ride, "days": days, "way": way, "day": 2 * way,
            "answer": 2 * way * days}  # fmt: skip


def _drive(rng: Random) -> Slots:
    slow, slow_hours = rng.randrange(40, 71, 5), rng.randint(2, 3)
    fast, fast_hours = rng.randrange(80, 121, 5), rng.randint(2, 4)
    first, second = slow * slow_hours, fast * fast_hours
    total = first + second + rng.randrange(20, 101, 10)
    return {"total": total, "slow": slow, "slow_hours": slow_hours, "fast": fast, "fast_hours": fast_hours,
            "first": first, "second": second, "driven": first + second, "answer": total - first - second}  # fmt: skip


def _typing(rng: Random) -> Slots:
    a, b, hours, rest = rng.randint(4, 9), rng.randint(3, 8), rng.randint(2, 6), rng.randrange(10, 46, 5)
    return {"pages": (a + b) * hours, "a": a, "b": b, "rest": rest, "rate": a + b, "hours": hours,
            "minutes": 60 * hours, "answer": 60 * hours + rest}  # fmt: skip


def _tank(rng: Random) -> Slots:
    inflow, leak, minutes = rng.randint(14, 30), rng.randint(2, 6), rng.randint(10, 40)
    return {"volume": (inflow - leak) * minutes, "inflow": inflow, "leak": leak, "net": inflow - leak,
            "minutes": minutes, "answer": minutes}  # fmt: skip


def _factory(rng: Random) -> Slots:
    workers, rate = rng.choice((5, 10, 15, 20)), rng.randrange(6, 17, 2)
    hours, percent = rng.choice((5, 10)), rng.choice((2, 4, 6, 8))
    hourly = workers * rate
    made = hourly * hours
    faulty = made * percent // 100
    item = rng.choice((("toys", "个玩具"), ("lamps", "盏灯"), ("chairs", "把椅子"), ("radios", "台收音机")))
    return {"workers": workers, "rate": rate, "hours": hours, "percent": percent, "hourly": hourly, "made": made,
            "faulty": faulty, "answer": made - faulty, "en": {"i": item[0]}, "zh": {"i": item[1]}}  # fmt: skip


def _temperature(rng: Random) -> Slots:
    start, rise, hours, drop = rng.randint(-4, 12), rng.randint(2, 3), rng.randint(3, 6), rng.randint(4, 11)
    peak = start + rise * hours
    return {"start": start, "rise": rise, "hours": hours, "drop": drop, "risen": rise * hours, "peak": peak,
            "answer": peak - drop}  # fmt: skip


def _steps(rng: Random) -> Slots:
    steps, centimetres, days = rng.randrange(5000, 12001, 500), rng.choice((60, 70, 80)), rng.randint(5, 14)
    metres = steps * centimetres // 100
    return {"steps": steps, "centimetres": centimetres, "days": days, "metres": metres, "sum": metres * days,
            "answer": decimal(metres * days // 10)}  # fmt: skip


def _fence(rng: Random) -> Slots:
    width = rng.randint(6, 20)
    length, price = width + rng.randint(2, 15), rng.randint(4, 15)
    return {"length": length, "width": width, "price": price, "half": length + width, "around": 2 * (length + width),
            "answer": 2 * (length + width) * price}  # fmt: skip


def _tiles(rng: Random) -> Slots:
    length, width = rng.randint(4, 10), rng.randint(3, 9)
    area = length * width
    box = rng.choice([size for size in (9, 10, 11, 12, 15, 18) if 4 * area % size])
    return {"length": length, "width": width, "per": 4, "box": box, "area": area, "tiles": 4 * area,
            "whole": 4 * area // box, "rest": 4 * area % box, "answer": 4 * area // box + 1}  # fmt: skip


def _trees(rng: Random) -> Slots:
    gap, count = rng.randint(4, 12), rng.randint(10, 40)
    return {"length": gap * count, "gap": gap, "gaps": count, "side": count + 1, "answer": 2 * (count + 1)}


def _pages(rng: Random) -> Slots:
    k, m = rng.randint(3, 6), rng.randint(2, 5)
    total = k * m * rng.randint(-(-100 // (k * m)), 400 // (k * m))
    first = total // k
    rest = total - first
    second = rest // m
    return {"total": total, "k": k, "m": m, "first": first, "rest": rest, "second": second, "answer": rest - second}


def _recipe(rng: Random) -> Slots:
    people, each = rng.choice((4, 5, 6, 8)), rng.choice((30, 40, 50, 60))
    guests, bag = people + rng.randint(2, 8), 1000
    return {"people": people, "grams": people * each, "guests": guests, "bag": bag, "each": each,
            "needed": each * guests, "answer": bag - each * guests}  # fmt: skip


def _juice(rng: Random) -> Slots:
    a, p = rng.randrange(200, 901, 100), rng.choice((10, 20, 30))
    b, q = rng.randrange(200, 901, 100), rng.choice((40, 50, 60))
    first, second = a * p // 100, b * q // 100
    return {"a": a, "p": p, "b": b, "q": q, "first": first, "second": second, "answer": first + second}


def _ratio(rng: Random) -> Slots:
    a, b, part = rng.randint(3, 7), rng.randint(1, 2), rng.randint(6, 25)
    return {"total": (a + b) * part, "a": a, "b": b, "parts": a + b, "part": part, "more": a * part,
            "fewer": b * part, "answer": (a - b) * part}  # fmt: skip


def _pupils(rng: Random) -> Slots:
    hundreds, percent, k = rng.randint(3, 9), rng.choice((40, 48, 52, 60)), rng.choice((2, 4))
    girls = hundreds * percent
    return {"pupils": 100 * hundreds, "percent": percent, "k": k, "girls": girls, "bus": girls // k,
            "answer": girls - girls // k}  # fmt: skip


def _ages(rng: Random) -> Slots:
    age, times = rng.choice(
        ((7, 4), (7, 5), (8, 4), (8, 5), (9, 4), (9, 5), (10, 4), (11, 3), (11, 4), (12, 3), (12, 4))
    )
    years = rng.randint(4, 15)
    mother = age * times
    return {"age": age, "times": times, "years": years, "mother": mother, "later": age + years,
            "mother_later": mother + years, "answer": age + mother + 2 * years}  # fmt: skip


def _stamps(rng: Random) -> Slots:
    x, times, fewer = rng.randint(12, 40), rng.randint(2, 4), rng.randint(5, 20)
    return {"x": x, "times": times, "fewer": fewer, "second": x * times, "third": x * times - fewer,
            "answer": x + 2 * x * times - fewer}  # fmt: skip


def _library(rng: Random) -> Slots:
    shelves, each = rng.randint(6, 18), rng.randrange(20, 46, 5)
    lent = rng.randint(30, 80)
    back = rng.randint(10, lent - 10)
    total = shelves * each
    return {"shelves": shelves, "each": each, "lent": lent, "back": back, "total": total, "left": total - lent,
            "answer": total - lent + back}  # fmt: skip


def _average(rng: Random) -> Slots:
    x, y, z = rng.randint(72, 95), rng.randint(72, 95), rng.randint(72, 95)
    goal = rng.randint((x + y + z + 63) // 4, (x + y + z + 100) // 4)  # so that 60 to 100 points are needed
    return {"x": x, "y": y, "z": z, "goal": goal, "sum": x + y + z, "needed": 4 * goal, "answer": 4 * goal - x - y - z}


def _pizza(rng: Random) -> Slots:
    pizzas, slices, each = rng.randint(4, 8), rng.choice((6, 8, 10)), rng.randint(2, 4)
    people = rng.randint(4, pizzas * slices // each - 1)
    return {"pizzas": pizzas, "slices": slices, "people": people, "each": each, "total": pizzas * slices,
            "eaten": people * each, "answer": pizzas * slices - people * each}  # fmt: skip


DRAWERS: dict[str, Callable[[Random], Slots]] = {
    "stationery": _stationery, "discount": _discount, "savings": _savings, "tickets": _tickets,
    "interest": _interest, "phone": _phone, "fuel": _fuel, "wage": _wage, "parking": _parking, "eggs": _eggs,
    "commute": _commute, "drive": _drive, "typing": _typing, "tank": _tank, "factory": _factory,
    "temperature": _temperature, "steps": _steps, "fence": _fence, "tiles": _tiles, "trees": _trees,
    "pages": _pages, "recipe": _recipe, "juice": _juice, "ratio": _ratio, "pupils": _pupils, "ages": _ages,
    "stamps": _stamps, "library": _library, "average": _average, "pizza": _pizza,
}  # fmt: skip
