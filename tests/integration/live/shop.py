"""A small shop with taste in it, for tests that need a catalog, a history and a model."""

import csv
import random

import vitrine

THEMES = 8
PRODUCTS_EACH = 25
DAY_MS = 86_400_000


def product_id(theme, number):
    return f"p{theme:02}-{number:02}"


def write_files(folder, users=300, seed=1, now_ms=1_790_000_000_000):
    """products.csv and events.csv: every user buys from two themes, some of it in one order."""
    chance = random.Random(seed)
    with open(folder / "products.csv", "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["product_id", "title", "category_path", "price", "currency"])
        for theme in range(THEMES):
            for number in range(PRODUCTS_EACH):
                rows.writerow([product_id(theme, number), f"Theme {theme} product {number}", f"Theme {theme}",
                               f"{number + 1}.50", "EUR"])
    with open(folder / "events.csv", "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["event_id", "time", "user_id", "order_id", "product_id", "type", "quantity", "price"])
        count = 0
        for user in range(users):
            likes = [user % THEMES, chance.randrange(THEMES)]
            for order in range(3):
                time = now_ms - chance.randrange(60) * DAY_MS - chance.randrange(DAY_MS)
                for _ in range(5):
                    count += 1
                    product = product_id(chance.choice(likes), chance.randrange(PRODUCTS_EACH))
                    rows.writerow([f"e{count}", time, f"u{user}", f"o{user}-{order}", product, "purchase", 1, "2.00"])
    return count


def make(data, folder, users=300):
    """Imports the shop into `data` and trains it; returns the number of events."""
    count = write_files(folder, users)
    vitrine.run("import", "--data", data, "--products", folder / "products.csv", "--events", folder / "events.csv",
                "--shift-time-to-now")
    vitrine.run("train", "--data", data, "--dims", 16, "--epochs", 5, "--promote")
    return count
