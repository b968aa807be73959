#!/usr/bin/env python3
"""A shop's campaigns, coupons, grants and redemptions from files: what becomes of them, and that twice is as good as once."""

import csv
import gzip
import unittest

import folder
import vitrine

COUPONS = folder.FIXTURES / "complete_journey_coupons"
MONEY = ("--currency", "USD", "--coupon-value", "1.00")


class ImportCouponsTest(folder.FolderTest):
    def import_coupons(self, path, *money):
        report = vitrine.run_json("import", "--data", self.data, "--coupons", path, *(money or MONEY))
        return {file["file"].split(".")[0]: file for file in report["files"]}

    def counts(self, files):
        return {name: (file["lines"], file["accepted"], file["duplicates"], file["rejected"])
                for name, file in files.items()}

    def test_three_real_campaigns_become_what_they_were(self):
        self.assertEqual(self.counts(self.import_coupons(COUPONS)), {
            "campaigns": (3, 3, 0, 0), "coupon_items": (5380, 5380, 0, 0), "coupons": (212, 212, 0, 0),
            "coupon_grants": (5612, 5612, 0, 0), "coupon_redemptions": (150, 150, 0, 0)})
        with vitrine.Server(self.data) as server:
            self.assertEqual(len(server.get("/v1/campaigns")["campaigns"]), 3)
            offers = {offer["offer"]: offer for offer in server.get("/v1/offers")["offers"]}
            self.assertEqual(len(offers), 212)
            redeemed = self.first_redemption_of("16")
            offer = offers[f"16-{redeemed['coupon_id']}"]
            self.assertEqual(offer["amounts"]["*"]["tiers"], [{"threshold": "1.00", "off": "1.00"}])
            self.assertEqual(sorted(offer["conditions"]["product_ids"]), self.products_of(redeemed))
            order = server.get(f"/v1/redemptions/{offer['offer']}-{redeemed['user_id']}-{redeemed['redeemed_on']}")
            self.assertEqual((order["redeemed_at"][:10], order["discount"]), (redeemed["redeemed_on"], "1.00"))
            used = [grant for grant in server.get(f"/v1/grants?limit=1000&user_id={redeemed['user_id']}")["grants"]
                    if grant["offer"] == offer["offer"]]
            self.assertEqual([grant["state"] for grant in used], ["redeemed"])
            results = [server.get(f"/v1/offers/{name}/results") for name in offers]
            self.assertEqual(sum(one["issued"]["committed"] for one in results), 5612)
            self.assertEqual(sum(one["uses"]["committed"] for one in results), 150)
        vitrine.run("verify", "--data", self.data)

    def test_importing_twice_changes_nothing(self):
        self.import_coupons(COUPONS)
        self.assertEqual(self.counts(self.import_coupons(COUPONS)), {
            "campaigns": (3, 0, 3, 0), "coupon_items": (5380, 0, 5380, 0), "coupons": (212, 0, 212, 0),
            "coupon_grants": (5612, 0, 5612, 0), "coupon_redemptions": (150, 0, 150, 0)})

    def test_lines_that_cannot_be_are_named_with_the_reason(self):
        for name, text in {
                "campaigns": "campaign_id,start_date,end_date\nsummer,2026-06-01,2026-06-30\nodd,2026-06-30,2026-06-01\n"
                             "late,someday,2026-06-01\n",
                "coupons": "campaign_id,coupon_id,value\nsummer,tea,2.50\nsummer,tea,2.50\nwinter,tea,1.00\n"
                           "summer,air,1.00\nsummer,free,\n",
                "coupon_items": "campaign_id,coupon_id,item_id\nsummer,tea,green\nsummer,salt,white\nwinter,tea,green\n",
                "coupon_grants": "campaign_id,coupon_id,user_id,granted_on,expires_on\n"
                                 "summer,tea,ann,2026-06-01,2026-06-30\nsummer,salt,ann,2026-06-01,2026-06-30\n"
                                 "summer,tea,,2026-06-01,2026-06-30\nsummer,tea,bob,2026-06-30,2026-06-01\n",
                "coupon_redemptions": "campaign_id,coupon_id,user_id,redeemed_on,order_id,discount\n"
                                      "summer,tea,ann,2026-06-02,o-1,2.00\nsummer,tea,cy,2026-06-02,o-2,lots\n"}.items():
            self.write(f"{name}.csv", text)
        files = self.import_coupons(self.folder, "--currency", "EUR")
        reasons = {}
        for name, file in files.items():
            if file["rejected"]:
                with open(file["rejected_lines"], newline="", encoding="utf-8") as side_file:
                    reasons[name] = {int(row["line"]): row["reason"] for row in csv.DictReader(side_file)}
        self.assertEqual({name: sorted(lines) for name, lines in reasons.items()},
                         {"campaigns": [3, 4], "coupons": [3, 4, 5, 6], "coupon_items": [3],
                          "coupon_grants": [3, 4, 5], "coupon_redemptions": [3]})
        for name, line, said in (("campaigns", 3, "end must be after start"), ("campaigns", 4, "someday"),
                                 ("coupons", 3, "twice"), ("coupons", 4, "campaign winter does not exist"),
                                 ("coupons", 5, "lists no product"), ("coupons", 6, "--coupon-value"),
                                 ("coupon_items", 3, "no coupon salt"), ("coupon_grants", 3, "no offer summer-salt"),
                                 ("coupon_grants", 4, "user_id"), ("coupon_grants", 5, "must be after granted_at"),
                                 ("coupon_redemptions", 3, "discount")):
            self.assertIn(said, reasons[name][line])

    def test_a_missing_file_or_currency_is_said(self):
        self.assertIn("has no campaigns.csv", vitrine.run(
            "import", "--data", self.data, "--coupons", self.folder, *MONEY, check=False).stderr)
        without = vitrine.run("import", "--data", self.data, "--coupons", self.folder, check=False)
        self.assertEqual(without.returncode, 2)
        self.assertIn("--coupons needs --currency", without.stderr)

    @staticmethod
    def first_redemption_of(campaign):
        with open(COUPONS / "coupon_redemptions.csv", newline="", encoding="utf-8") as rows:
            return next(row for row in csv.DictReader(rows) if row["campaign_id"] == campaign)

    @staticmethod
    def products_of(redemption):

        with gzip.open(COUPONS / "coupon_items.csv.gz", "rt", encoding="utf-8") as rows:
            return sorted(row["item_id"] for row in csv.DictReader(rows)
                          if (row["campaign_id"], row["coupon_id"]) == (redemption["campaign_id"],
                                                                        redemption["coupon_id"]))


if __name__ == "__main__":
    unittest.main()
