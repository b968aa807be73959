// Files of a folder, and refusals that name file, line and value.
#include "training/uplift/coupon_books.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "base/status.h"
#include "tests/support/temp_folder.h"

namespace vitrine::training {
namespace {

using testing::HasSubstr;

class CouponBooksTest : public testing::Test {
 protected:
  CouponBooksTest() {
    for (const auto& [name, text] : k_files) write(name, text);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / (name + ".csv")) << text;
  }
  std::string refusal() { return std::string(message_of(read_coupon_books(folder_).status())); }

  static const std::map<std::string, std::string> k_files;
  const TempFolder temporary_;
  const std::filesystem::path folder_ = temporary_.path();
};

const std::map<std::string, std::string> CouponBooksTest::k_files = {
    {"campaigns", "campaign_id,campaign_type,start_date,end_date\n7,A,1970-01-03,1970-01-09\n"},
    {"campaign_targets", "campaign_id,user_id\n7,ann\n"},
    {"items",
     "item_id,category_path,brand\np1,FOOD > BREAD > RYE,National\np2,FOOD > BREAD > WHEAT,"
     "Private\n"},
    {"coupons",
     "campaign_id,coupon_id,main_department,valid_from,valid_to\n7,c1,FOOD,1970-01-03,1970-01-"
     "09\n"},
    {"coupon_items", "campaign_id,coupon_id,item_id\n7,c1,p2\n7,c1,p9\n"},
    {"coupon_grants",
     "campaign_id,user_id,coupon_id,granted_on,expires_on\n7,ann,c1,1970-01-03,1970-01-09\n"},
    {"coupon_redemptions", "redeemed_on,user_id,coupon_id,campaign_id\n1970-01-05,ann,c1,7\n"},
    {"events",
     "timestamp,user_id,item_id,coupon_disc\n1970-01-06T01:00:00Z,bob,p1,0.5\n"
     "1970-01-02T23:00:00Z,ann,p2,\n"},
};

TEST_F(CouponBooksTest, ReadsAFolder) {
  const CouponBooks books = read_coupon_books(folder_).value();
  ASSERT_EQ(books.coupons.size(), 1);
  EXPECT_EQ(books.coupons[0].valid_from, 2);
  EXPECT_EQ(books.coupons[0].products, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_EQ(books.campaigns_of[0], (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(books.products[0].group, books.products[1].group);
  EXPECT_NE(books.products[0].type, books.products[1].type);
  EXPECT_FALSE(books.products[0].is_own_brand);
  EXPECT_TRUE(books.products[1].is_own_brand);
  EXPECT_FALSE(books.products[2].is_own_brand) << "p9 is in no catalog";
  ASSERT_EQ(books.purchases.size(), 2);
  EXPECT_EQ(books.purchases[0].day, 1) << "by day, not as in the file";
  EXPECT_FALSE(books.purchases[0].has_coupon);
  EXPECT_TRUE(books.purchases[1].has_coupon);
  EXPECT_EQ(books.people, (std::vector<std::string>{"ann", "bob"}));
  EXPECT_EQ(books.redemptions[0].day, 4);
}

TEST_F(CouponBooksTest, NamesAMissingFile) {
  std::filesystem::remove(folder_ / "events.csv");
  EXPECT_TRUE(absl::IsNotFound(read_coupon_books(folder_).status()));
  EXPECT_THAT(refusal(), HasSubstr("events.csv"));
}

TEST_F(CouponBooksTest, NamesTheLineThatTellsOfAnUnknownCoupon) {
  write("coupon_redemptions", "redeemed_on,user_id,coupon_id,campaign_id\n1970-01-05,ann,c2,7\n");
  EXPECT_THAT(refusal(),
              HasSubstr("coupon_redemptions.csv: line 2: coupon_id 'c2' of campaign '7'"));
}

TEST_F(CouponBooksTest, NamesTheDateThatIsNone) {
  write("coupon_grants",
        "campaign_id,user_id,coupon_id,granted_on,expires_on\n7,ann,c1,soon,1970-01-09\n");
  EXPECT_THAT(refusal(), HasSubstr("soon"));
  write("coupon_grants",
        "campaign_id,user_id,coupon_id,granted_on,expires_on\n7,ann,c1,1970-01-09,1970-01-03\n");
  EXPECT_THAT(refusal(), HasSubstr("expires_on '1970-01-03' is before granted_on '1970-01-09'"));
}

TEST_F(CouponBooksTest, RefusesACampaignThatIsThereTwice) {
  write("campaigns",
        "campaign_id,campaign_type,start_date,end_date\n7,A,1970-01-03,1970-01-09\n"
        "7,B,1970-01-03,1970-01-09\n");
  EXPECT_THAT(refusal(), HasSubstr("line 3: campaign_id '7' is there twice"));
}

}  // namespace
}  // namespace vitrine::training
