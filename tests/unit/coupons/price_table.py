#!/usr/bin/env python3
"""Writes price_table.txt: carts, offers and what they come to, worked out anew with fractions from docs/coupons.md.

Shares nothing with the server's code: amounts are fractions, combinations are tried by brute force. A row is one JSON
object. Run it after a change of the rules, and read the difference before it is kept.
"""

import itertools
import json
import pathlib
import random
from fractions import Fraction

ROWS = 240


def half_up(value):
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def divided(total, weights):
    """Largest remainder over {line_id: weight}."""
    whole = sum(weights.values())
    if total == 0 or whole == 0:
        return {line: 0 for line in weights}
    exact = {line: Fraction(total * weight, whole) for line, weight in weights.items()}
    parts = {line: int(share) for line, share in exact.items()}
    lost = sorted(weights, key=lambda line: (parts[line] - exact[line], line))
    for line in lost[:total - sum(parts.values())]:
        parts[line] += 1
    return parts


STAGES = {"bundle": 0, "nth_item": 0, "exchange": 0, "percent": 1, "full_reduction": 2, "free_shipping": 3, "points": 4}


def stage(offer):
    return 0 if offer["kind"] == "percent" and offer.get("by_line") else STAGES[offer["kind"]]


class Cart:
    def __init__(self, cart):
        self.lines = {line["id"]: line for line in cart["lines"]}
        self.left = {name: line["price"] * line["quantity"] for name, line in self.lines.items()}
        self.thresholds = dict(self.left)
        self.shipping = cart["shipping"]
        self.points = 0

    def pieces_of(self, wanted, names):
        """What is left of so many pieces, line by line."""
        amounts = {}
        for name in names:
            taken = min(wanted, self.lines[name]["quantity"])
            amounts[name] = half_up(Fraction(self.left[name] * taken, self.lines[name]["quantity"]))
            wanted -= taken
        return amounts

    def apply(self, offer):
        """False where the offer has no effect here."""
        covered = sorted(name for name, line in self.lines.items() if line["product"] in offer["products"])
        pieces = sum(self.lines[name]["quantity"] for name in covered)
        base = sum(self.thresholds[name] for name in covered)
        if not covered or pieces < max(offer.get("min_quantity", 0), offer.get("nth", 0)):
            return False
        needed = max(offer.get("min_subtotal", 0), offer["tiers"][0][0] if offer["kind"] == "full_reduction" else 0)
        if base < needed:
            return False
        return getattr(self, offer["kind"])(offer, covered, pieces, base)

    def take(self, offer, amount, weights):
        amount = min(amount, sum(weights.values()), offer.get("max_discount", amount))
        for name, part in divided(amount, weights).items():
            self.left[name] -= part
        return True

    def full_reduction(self, offer, covered, _, base):
        if offer.get("repeat"):
            threshold, off = offer["tiers"][0]
            amount = base // threshold * off
        else:
            amount = max(off for threshold, off in offer["tiers"] if threshold <= base)
        return self.take(offer, amount, {name: self.left[name] for name in covered})

    def cheapest(self, covered, wanted):
        return self.pieces_of(wanted, sorted(covered, key=lambda name: (self.lines[name]["price"], name)))

    def percent(self, offer, covered, pieces, _):
        weights = self.cheapest(covered, offer.get("max_quantity", pieces))
        if offer.get("by_line"):
            weights = {name: half_up(Fraction(part * offer["off"], 10000)) for name, part in weights.items()}
            return self.take(offer, sum(weights.values()), weights)
        return self.take(offer, half_up(Fraction(sum(weights.values()) * offer["off"], 10000)), weights)

    def nth_item(self, offer, covered, pieces, _):
        cheaper = pieces // offer["nth"] if offer.get("repeat") else 1
        weights = {name: half_up(Fraction(part * offer["off"], 10000))
                   for name, part in self.cheapest(covered, min(cheaper, offer.get("max_quantity", cheaper))).items()}
        return self.take(offer, sum(weights.values()), weights)

    def bundle(self, offer, *_):
        def of(product):
            return sorted(name for name, line in self.lines.items() if line["product"] == product)
        sets = min(sum(self.lines[name]["quantity"] for name in of(product)) // count
                   for product, count in offer["set"])
        if sets == 0:
            return False
        weights = {}
        for product, count in offer["set"]:
            weights.update(self.pieces_of(sets * count, of(product)))
        return self.take(offer, max(0, sum(weights.values()) - sets * offer["price"]), weights)

    def exchange(self, offer, *_):
        # Only those whose gift is in the cart are in the table.
        names = sorted(name for name, line in self.lines.items() if line["product"] == offer["gift"])
        weights, wanted = {}, offer["count"]
        for name in names:
            taken = min(wanted, self.lines[name]["quantity"])
            weights[name] = max(0, self.pieces_of(taken, [name])[name] - taken * offer["price"])
            wanted -= taken
        return self.take(offer, sum(weights.values()), weights)

    def free_shipping(self, offer, *_):
        self.shipping -= min(self.shipping, offer.get("max_discount", self.shipping))
        return True

    def points_of(self, offer, covered):
        return sum(self.left[name] for name in covered) // 100 * offer["multiplier"] // 100 + offer["bonus"]


def priced(cart, offers):
    """(net of each line, shipping, points), or nothing where one of the offers has no effect."""
    state = Cart(cart)
    are_lines = True
    for offer in sorted(offers, key=lambda one: (stage(one), -one["priority"], one["id"])):
        if are_lines and stage(offer) > 0:
            state.thresholds, are_lines = dict(state.left), False
        if offer["kind"] == "points":
            covered = [name for name, line in state.lines.items() if line["product"] in offer["products"]]
            if not covered or sum(state.thresholds[name] for name in covered) < offer.get("min_subtotal", 0):
                return None
            state.points += state.points_of(offer, covered)
        elif not state.apply(offer):
            return None
    return state.left, state.shipping, state.points


def together(a, b):
    if a["exclusive"] or b["exclusive"]:
        return False
    return all(other["class"] in one["with"] if one["with"] else other["class"] != one["class"]
               for one, other in ((a, b), (b, a)))


def best(cart, offers):
    full = sum(line["price"] * line["quantity"] for line in cart["lines"]) + cart["shipping"]
    found = [(0, 0, 0, [], priced(cart, []))]
    for count in range(1, len(offers) + 1):
        for chosen in itertools.combinations(offers, count):
            if any(not together(a, b) for a, b in itertools.combinations(chosen, 2)):
                continue
            result = priced(cart, chosen)
            if result is not None and all(priced(cart, [one]) for one in chosen):
                saved = full - sum(result[0].values()) - result[1]
                found.append((-saved, -result[2], count, sorted(one["id"] for one in chosen), result))
    return min(found, key=lambda one: one[:4])


def offer_of(chance, i, products):
    kind = chance.choice(list(STAGES))
    offer = {"id": f"o{i}", "kind": kind, "priority": chance.randint(0, 2), "exclusive": chance.random() < 0.1,
             "class": f"c{chance.randint(0, 2)}", "with": [],
             "products": sorted(chance.sample(products, chance.randint(1, len(products))))}
    if chance.random() < 0.2:
        offer["with"] = ["c0", "c1", "c2"]
    if chance.random() < 0.3 and kind != "points":
        offer["max_discount"] = chance.randint(100, 4000)
    if chance.random() < 0.3:
        offer["min_subtotal"] = chance.randint(500, 8000)
    if kind == "full_reduction":
        threshold = chance.randint(1000, 9000)
        offer["tiers"] = [[threshold, threshold // chance.randint(3, 9)]]
        offer["repeat"] = chance.random() < 0.4
        if not offer["repeat"]:
            offer["tiers"].append([threshold * 2, threshold // 2])
    if kind in ("percent", "nth_item"):
        offer["off"] = chance.choice([500, 1000, 1250, 2000, 3333, 5000])
    if kind == "percent":
        offer["by_line"] = chance.random() < 0.4
        if chance.random() < 0.3:
            offer["max_quantity"] = chance.randint(1, 3)
    if kind == "nth_item":
        offer["nth"], offer["repeat"] = chance.randint(2, 3), chance.random() < 0.6
    if kind == "bundle":
        offer["set"] = [[product, chance.randint(1, 2)] for product in sorted(chance.sample(products, 2))]
        offer["price"] = chance.randint(1000, 5000)
    if kind == "exchange":
        offer["gift"], offer["count"], offer["price"] = chance.choice(products), 1, chance.randint(0, 300)
        offer["products"] = [product for product in products if product != offer["gift"]]
    if kind == "points":
        offer["multiplier"], offer["bonus"] = chance.choice([100, 150, 300]), chance.randint(0, 20)
    return offer


def main():
    chance = random.Random(618)
    rows = []
    while len(rows) < ROWS:
        products = ["p0", "p1", "p2"]
        lines = [{"id": f"l{i}", "product": products[i % 3], "price": chance.randint(100, 4999),
                  "quantity": chance.randint(1, 4)} for i in range(chance.randint(3, 5))]
        chance.shuffle(lines)
        cart = {"lines": lines, "shipping": chance.choice([0, 490])}
        offers = [offer_of(chance, i, products) for i in range(chance.randint(1, 4))]
        _, _, _, ids, (left, shipping, points) = best(cart, offers)
        rows.append({"cart": cart, "offers": offers, "chosen": ids, "net": left, "shipping": shipping,
                     "points": points})
    table = pathlib.Path(__file__).with_name("price_table.txt")
    table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
