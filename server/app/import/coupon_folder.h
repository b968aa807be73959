// The coupons of another system: a folder of files becomes campaigns, offers, grants and
// redemptions.
//
// Plain or with .gz at the end of their names; columns that are not named here are passed over:
//   campaigns           campaign_id, start_date, end_date; campaign_type
//   coupons             campaign_id, coupon_id; valid_from, valid_to, main_department, value
//   coupon_items        campaign_id, coupon_id, item_id
//   coupon_grants       campaign_id, coupon_id, user_id, granted_on, expires_on; may be missing
//   coupon_redemptions  campaign_id, coupon_id, user_id, redeemed_on; order_id, discount; may be
//                       missing
// Dates are days in UTC, the last one included. A coupon id may return in another campaign: the
// offer is CAMPAIGN-COUPON. Campaigns and offers that are there already stay as they are, grants
// and redemptions are known again, so that importing twice changes nothing. One thread.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/app/api_client.h"
#include "server/app/import/importer.h"

namespace vitrine::app {

struct CouponFolderOptions {
  std::filesystem::path folder;
  std::string currency;
  std::string value;  // what a coupon takes off that has no value of its own; empty: each has one
  TimeMs shift_ms = 0;
  bool quiet = false;
  std::function<std::filesystem::path(const std::filesystem::path& file)> rejected_path;
};

// A report for each file. NotFound: a file that must be there is not.
absl::StatusOr<std::vector<FileReport>> import_coupon_folder(const CouponFolderOptions& options,
                                                             ApiClient& api);

}  // namespace vitrine::app
