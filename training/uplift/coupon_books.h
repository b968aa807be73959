// What a shop knows of its coupons: campaigns, who was in them, what each coupon is good for, who
// was granted and who redeemed what, and what everybody bought.
//
// Read from a folder of CSV files, plain or with .gz at the end of their names:
//   campaigns           campaign_id, campaign_type, start_date, end_date
//   campaign_targets    campaign_id, user_id
//   coupons             campaign_id, coupon_id, main_department, valid_from, valid_to
//   coupon_items        campaign_id, coupon_id, item_id
//   coupon_grants       campaign_id, user_id, coupon_id, granted_on, expires_on
//   coupon_redemptions  redeemed_on, user_id, coupon_id, campaign_id
//   items               item_id, category_path, brand (Private: the shop's own)
//   events              timestamp, user_id, item_id, coupon_disc
// Dates are days. A coupon id may return in another campaign: coupons here are pairs of both.
// Thread-safety: a value.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vitrine::training {

using Day = std::int32_t;  // days since 1970-01-01 UTC

struct CouponBooks {
  struct Campaign {
    std::string id;
    std::string type;
    Day start = 0;
    Day end = 0;
    std::vector<std::uint32_t> coupons;
  };
  struct Coupon {
    std::uint32_t campaign = 0;
    std::uint32_t department = 0;
    Day valid_from = 0;
    Day valid_to = 0;
    std::vector<std::uint32_t> products;
  };
  struct Product {
    std::uint32_t type = 0;   // the whole category path
    std::uint32_t group = 0;  // its first two levels
    bool is_own_brand = false;
  };
  struct Grant {
    Day day = 0;
    Day expires = 0;
    std::uint32_t person = 0;
    std::uint32_t coupon = 0;
  };
  struct Redemption {
    Day day = 0;
    std::uint32_t person = 0;
    std::uint32_t coupon = 0;
  };
  struct Purchase {
    Day day = 0;
    std::uint32_t person = 0;
    std::uint32_t product = 0;
    bool has_coupon = false;
  };

  std::vector<std::string> people;                       // ids
  std::vector<std::vector<std::uint32_t>> campaigns_of;  // by person
  std::vector<Campaign> campaigns;
  std::vector<Coupon> coupons;
  std::vector<Product> products;
  std::vector<std::uint32_t> group_of_type;
  std::uint32_t department_count = 0;
  std::vector<Grant> grants;  // these three by day
  std::vector<Redemption> redemptions;
  std::vector<Purchase> purchases;
};

// NotFound: a file is missing. InvalidArgument: a column is missing, a row names a campaign or a
// coupon that is not there, or a value is none; the message names file and line.
absl::StatusOr<CouponBooks> read_coupon_books(const std::filesystem::path& folder);

}  // namespace vitrine::training
