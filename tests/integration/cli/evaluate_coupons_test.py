#!/usr/bin/env python3
"""Redemptions of coupons foretold from a folder of files, by the real command."""

import random
import unittest

import folder
import vitrine

TYPES = 6
MONTHS = 8


class EvaluateCouponsTest(folder.FolderTest):
    def make_shop(self):
        """A coupon a type of product each month; one person in four redeems, and only for the type they buy."""
        chance = random.Random(1)
        day = "2017-{:02}-{:02}".format
        campaigns, coupons, good_for = [], [], []
        targets, grants, redemptions, events = [], [], [], []
        for month in range(1, MONTHS + 1):
            campaigns.append(f"{month},{'AB'[month % 2]},{day(month, 1)},{day(month, 20)}")
            for kind in range(TYPES):
                coupons.append(f"{month},c{kind},D{kind % 2},{day(month, 1)},{day(month, 20)}")
                good_for.append(f"{month},c{kind},p{kind}")
        for person in range(80):
            liked = chance.randrange(TYPES)
            for month in range(1, MONTHS + 1):
                targets.append(f"{month},u{person}")
                for visit in range(3):
                    kind = liked if chance.random() < 0.8 else chance.randrange(TYPES)
                    events.append(f"{day(month, 5 + 7 * visit)}T10:00:00Z,u{person},p{kind},0")
                for kind in range(TYPES):
                    grants.append(f"{month},u{person},c{kind},{day(month, 1)},{day(month, 20)}")
                    if person % 4 == 0 and kind == liked and chance.random() < 0.6:
                        redemptions.append(f"{day(month, 2 + chance.randrange(18))},u{person},c{kind},{month}")
        products = [f"p{kind},Food > Shelf {kind % 2} > Kind {kind},National" for kind in range(TYPES)]
        for name, header, rows in (
                ("campaigns", "campaign_id,campaign_type,start_date,end_date", campaigns),
                ("campaign_targets", "campaign_id,user_id", targets),
                ("items", "item_id,category_path,brand", products),
                ("coupons", "campaign_id,coupon_id,main_department,valid_from,valid_to", coupons),
                ("coupon_items", "campaign_id,coupon_id,item_id", good_for),
                ("coupon_grants", "campaign_id,user_id,coupon_id,granted_on,expires_on", grants),
                ("coupon_redemptions", "redeemed_on,user_id,coupon_id,campaign_id", redemptions),
                ("events", "timestamp,user_id,item_id,coupon_disc", events)):
            self.write(f"{name}.csv", "\n".join([header, *rows]) + "\n")

    def evaluate(self, *arguments, **options):
        return vitrine.run("evaluate", "--coupons", self.folder, *arguments, **options)

    def test_who_redeems_and_which_coupon_are_judged_from_the_split_on(self):
        self.make_shop()
        result = vitrine.run_json("evaluate", "--coupons", self.folder, "--split", "2017-05-01")
        who = result["who_redeems"]
        self.assertEqual(who["grants"], 4 * 80 * TYPES)
        rankings = who["rankings"]
        self.assertGreater(rankings["personal"]["auc"]["mean"], 0.9)
        self.assertGreater(rankings["personal"]["auc"]["low"], rankings["bought before"]["auc"]["mean"])
        self.assertTrue(0.5 < who["expected"] / who["redeemed"] < 2)
        which = result["which_coupon"]
        self.assertEqual(set(which), {"all", "A", "B"})
        self.assertEqual(which["all"]["candidates"], TYPES)
        self.assertGreater(which["all"]["rankings"]["personal"]["mrr"]["mean"], 0.8)
        self.assertLess(which["all"]["rankings"]["random"]["mrr"]["mean"], 0.42)
        table = self.evaluate("--split", "2017-05-01").stdout
        self.assertIn(f"who redeems: {4 * 80 * TYPES:,} grants", table)
        self.assertIn("which coupon, campaigns of type A", table)

    def test_refusals_say_what_is_missing(self):
        self.make_shop()
        self.assertIn("--coupons needs --split", self.evaluate(check=False).stderr)
        self.assertIn("--split", self.evaluate("--split", "soon", check=False).stderr)
        late = self.evaluate("--split", "2018-01-01", check=False)
        self.assertEqual(late.returncode, 1)
        self.assertIn("0 of 0 grants from the split on were redeemed", late.stderr)
        (self.folder / "coupon_items.csv").unlink()
        self.assertIn("coupon_items.csv", self.evaluate("--split", "2017-05-01", check=False).stderr)


if __name__ == "__main__":
    unittest.main()
