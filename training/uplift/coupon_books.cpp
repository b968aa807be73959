#include "training/uplift/coupon_books.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "base/string_map.h"
#include "training/table_file.h"

namespace vitrine::training {
namespace {

constexpr std::string_view k_own_brand = "Private";

// Numbers for names, in the order in which they come.
class Names {
 public:
  std::uint32_t add(std::string_view name) {
    if (const auto known = find(name)) return *known;
    const std::uint32_t number = size();
    numbers_.emplace(std::string(name), number);
    return number;
  }
  std::optional<std::uint32_t> find(std::string_view name) const {
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) return std::nullopt;
    return found->second;
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(numbers_.size()); }

 private:
  StringMap<std::uint32_t> numbers_;
};

absl::StatusOr<Day> parse_day(std::string_view text) {
  VITRINE_ASSIGN_OR_RETURN(const TimeMs time, parse_time(text));
  return static_cast<Day>(time / k_day_ms);
}

// "A > B > C" becomes "A > B".
std::string_view first_levels(std::string_view path) {
  const std::size_t first = path.find(" > ");
  if (first == std::string_view::npos) return path;
  return path.substr(0, path.find(" > ", first + 3));
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& folder) : folder_(folder) {}

  absl::StatusOr<CouponBooks> run() && {
    VITRINE_RETURN_IF_ERROR(read_campaigns());
    VITRINE_RETURN_IF_ERROR(read_targets());
    VITRINE_RETURN_IF_ERROR(read_products());
    VITRINE_RETURN_IF_ERROR(read_coupons());
    VITRINE_RETURN_IF_ERROR(read_coupon_products());
    VITRINE_RETURN_IF_ERROR(read_grants());
    VITRINE_RETURN_IF_ERROR(read_redemptions());
    VITRINE_RETURN_IF_ERROR(read_purchases());
    books_.department_count = departments_.size();
    std::ranges::stable_sort(books_.grants, {}, &CouponBooks::Grant::day);
    std::ranges::stable_sort(books_.redemptions, {}, &CouponBooks::Redemption::day);
    std::ranges::stable_sort(books_.purchases, {}, &CouponBooks::Purchase::day);
    return std::move(books_);
  }

 private:
  using Row = std::span<const std::string_view>;
  using Take = std::function<absl::Status(Row)>;

  absl::Status read(std::string_view name, std::vector<std::string_view> columns,
                    const Take& take) {
    std::filesystem::path path = folder_ / (std::string(name) + ".csv");
    if (!std::filesystem::exists(path)) path += ".gz";
    return read_table(path, columns, take);
  }

  std::uint32_t person_of(std::string_view id) {
    const std::uint32_t person = people_.add(id);
    if (person == books_.people.size()) {
      books_.people.emplace_back(id);
      books_.campaigns_of.emplace_back();
    }
    return person;
  }

  std::uint32_t product_of(std::string_view id, std::string_view path,
                           std::string_view brand = {}) {
    const std::uint32_t product = products_.add(id);
    if (product < books_.products.size()) return product;
    const std::uint32_t group = groups_.add(first_levels(path));
    const std::uint32_t type = types_.add(path);
    if (type == books_.group_of_type.size()) books_.group_of_type.push_back(group);
    books_.products.push_back({type, group, brand == k_own_brand});
    return product;
  }

  absl::StatusOr<std::uint32_t> campaign_of(std::string_view id) const {
    if (const auto campaign = campaigns_.find(id)) return *campaign;
    return invalid_argument("campaign_id '{}' is not in campaigns", id);
  }

  static std::string coupon_key(std::string_view campaign, std::string_view coupon) {
    return std::string(campaign) + '\n' + std::string(coupon);
  }

  absl::StatusOr<std::uint32_t> coupon_of(std::string_view campaign, std::string_view id) const {
    if (const auto coupon = coupons_.find(coupon_key(campaign, id))) return *coupon;
    return invalid_argument("coupon_id '{}' of campaign '{}' is not in coupons", id, campaign);
  }

  absl::Status read_campaigns() {
    return read(
        "campaigns", {"campaign_id", "campaign_type", "start_date", "end_date"},
        [&](Row row) -> absl::Status {
          if (campaigns_.add(row[0]) != books_.campaigns.size())
            return invalid_argument("campaign_id '{}' is there twice", row[0]);
          VITRINE_ASSIGN_OR_RETURN(const Day start, parse_day(row[2]));
          VITRINE_ASSIGN_OR_RETURN(const Day end, parse_day(row[3]));
          books_.campaigns.push_back({std::string(row[0]), std::string(row[1]), start, end, {}});
          return absl::OkStatus();
        });
  }

  absl::Status read_targets() {
    return read("campaign_targets", {"campaign_id", "user_id"}, [&](Row row) -> absl::Status {
      VITRINE_ASSIGN_OR_RETURN(const std::uint32_t campaign, campaign_of(row[0]));
      books_.campaigns_of[person_of(row[1])].push_back(campaign);
      return absl::OkStatus();
    });
  }

  absl::Status read_products() {
    return read("items", {"item_id", "category_path", "brand"}, [&](Row row) -> absl::Status {
      product_of(row[0], row[1], row[2]);
      return absl::OkStatus();
    });
  }

  absl::Status read_coupons() {
    return read("coupons",
                {"campaign_id", "coupon_id", "main_department", "valid_from", "valid_to"},
                [&](Row row) -> absl::Status {
                  VITRINE_ASSIGN_OR_RETURN(const std::uint32_t campaign, campaign_of(row[0]));
                  const std::uint32_t coupon = coupons_.add(coupon_key(row[0], row[1]));
                  if (coupon != books_.coupons.size())
                    return invalid_argument("coupon_id '{}' is there twice", row[1]);
                  VITRINE_ASSIGN_OR_RETURN(const Day from, parse_day(row[3]));
                  VITRINE_ASSIGN_OR_RETURN(const Day to, parse_day(row[4]));
                  books_.campaigns[campaign].coupons.push_back(coupon);
                  books_.coupons.push_back({campaign, departments_.add(row[2]), from, to, {}});
                  return absl::OkStatus();
                });
  }

  absl::Status read_coupon_products() {
    return read("coupon_items", {"campaign_id", "coupon_id", "item_id"},
                [&](Row row) -> absl::Status {
                  VITRINE_ASSIGN_OR_RETURN(const std::uint32_t coupon, coupon_of(row[0], row[1]));
                  books_.coupons[coupon].products.push_back(product_of(row[2], ""));
                  return absl::OkStatus();
                });
  }

  absl::Status read_grants() {
    return read(
        "coupon_grants", {"campaign_id", "user_id", "coupon_id", "granted_on", "expires_on"},
        [&](Row row) -> absl::Status {
          VITRINE_ASSIGN_OR_RETURN(const std::uint32_t coupon, coupon_of(row[0], row[2]));
          VITRINE_ASSIGN_OR_RETURN(const Day day, parse_day(row[3]));
          VITRINE_ASSIGN_OR_RETURN(const Day expires, parse_day(row[4]));
          if (expires < day) {
            return invalid_argument("expires_on '{}' is before granted_on '{}'", row[4], row[3]);
          }
          books_.grants.push_back({day, expires, person_of(row[1]), coupon});
          return absl::OkStatus();
        });
  }

  absl::Status read_redemptions() {
    return read("coupon_redemptions", {"redeemed_on", "user_id", "coupon_id", "campaign_id"},
                [&](Row row) -> absl::Status {
                  VITRINE_ASSIGN_OR_RETURN(const std::uint32_t coupon, coupon_of(row[3], row[2]));
                  VITRINE_ASSIGN_OR_RETURN(const Day day, parse_day(row[0]));
                  books_.redemptions.push_back({day, person_of(row[1]), coupon});
                  return absl::OkStatus();
                });
  }

  absl::Status read_purchases() {
    return read("events", {"timestamp", "user_id", "item_id", "coupon_disc"},
                [&](Row row) -> absl::Status {
                  VITRINE_ASSIGN_OR_RETURN(const Day day, parse_day(row[0]));
                  double discount = 0;
                  if (!row[3].empty()) {
                    VITRINE_ASSIGN_OR_RETURN(discount, parse_number("coupon_disc", row[3]));
                  }
                  books_.purchases.push_back(
                      {day, person_of(row[1]), product_of(row[2], ""), discount > 0});
                  return absl::OkStatus();
                });
  }

  std::filesystem::path folder_;
  CouponBooks books_;
  Names people_;
  Names campaigns_;
  Names coupons_;
  Names products_;
  Names types_;
  Names groups_;
  Names departments_;
};

}  // namespace

absl::StatusOr<CouponBooks> read_coupon_books(const std::filesystem::path& folder) {
  return Reader(folder).run();
}

}  // namespace vitrine::training
