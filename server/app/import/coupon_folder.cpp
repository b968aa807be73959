#include "server/app/import/coupon_folder.h"

#include <algorithm>
#include <boost/json.hpp>
#include <deque>
#include <optional>
#include <utility>

#include "base/status.h"
#include "base/string_map.h"
#include "server/app/commands/json_text.h"
#include "server/app/import/row_reader.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_objects_in_flight = 16;
constexpr std::size_t k_past_rows = 1000;
constexpr std::size_t k_past_bytes = std::size_t{512} << 10;  // below any limit on bodies
constexpr std::size_t k_past_in_flight = 2;

absl::StatusOr<std::filesystem::path> file_in(const std::filesystem::path& folder,
                                              std::string_view name) {
  for (const std::string_view end : {".csv", ".csv.gz"}) {
    const std::filesystem::path file = folder / fmt::format("{}{}", name, end);
    if (std::filesystem::exists(file)) return file;
  }
  return not_found("{} has no {}.csv or {}.csv.gz", folder.string(), name, name);
}

absl::StatusOr<std::string_view> needed(const Row& row, std::string_view name) {
  const std::string_view text = row.text(name);
  if (text.empty()) return invalid_argument("{} is needed", name);
  return text;
}

absl::StatusOr<TimeMs> day_in(const Row& row, std::string_view name, TimeMs shift_ms) {
  VITRINE_ASSIGN_OR_RETURN(const std::string_view text, needed(row, name));
  const absl::StatusOr<TimeMs> time = parse_time(text);
  if (!time.ok()) return invalid_argument("{}: {}", name, message_of(time.status()));
  return *time + shift_ms;
}

absl::StatusOr<std::string> offer_in(const Row& row) {
  VITRINE_ASSIGN_OR_RETURN(const std::string_view campaign, needed(row, "campaign_id"));
  VITRINE_ASSIGN_OR_RETURN(const std::string_view coupon, needed(row, "coupon_id"));
  return fmt::format("{}-{}", campaign, coupon);
}

// One file that is read row by row; what is refused goes into its side file.
class RowFile {
 public:
  RowFile(std::filesystem::path file, const CouponFolderOptions& options)
      : file_(std::move(file)),
        rejected_(options.rejected_path(file_)),
        progress_("coupons " + file_.string(), options.quiet),
        started_us_(steady_us()) {
    report_.name = file_.filename().string();
  }

  // `take` counts the row or keeps it for later; its error is why the row is refused.
  using Take = std::function<absl::Status(const Row&)>;
  absl::Status read(const Take& take) {
    VITRINE_ASSIGN_OR_RETURN(RowReader reader, RowReader::open(file_));
    Row row;
    while (true) {
      VITRINE_ASSIGN_OR_RETURN(const bool found, reader.next(row));
      if (!found) return absl::OkStatus();
      ++report_.lines;
      const absl::Status taken =
          row.refusal.empty() ? take(row) : absl::InvalidArgumentError(row.refusal);
      if (!taken.ok()) {
        VITRINE_RETURN_IF_ERROR(refuse(row.line, message_of(taken), row.raw));
      }
      progress_.update(reader.share_read(), grouped(report_.lines) + " lines");
    }
  }
  void count(bool is_new) { ++(is_new ? report_.accepted : report_.duplicates); }
  absl::Status refuse(std::uint64_t line, std::string_view why, std::string_view raw) {
    return rejected_.add(line, why, raw);
  }
  FileReport finish() {
    report_.rejected = rejected_.count();
    if (report_.rejected > 0) report_.rejected_lines = rejected_.path();
    report_.seconds = static_cast<double>(steady_us() - started_us_) / 1e6;
    progress_.finish(fmt::format("{} lines", grouped(report_.lines)));
    return std::move(report_);
  }

 private:
  std::filesystem::path file_;
  FileReport report_;
  RejectedLines rejected_;
  Progress progress_;
  std::int64_t started_us_;
};

// A campaign or an offer as it is sent, and the line it comes from.
struct Object {
  std::string id = {};
  std::string body = {};
  std::uint64_t line = 0;
  std::string raw = {};
};

class CouponFolder {
 public:
  CouponFolder(const CouponFolderOptions& options, ApiClient& api) : options_(options), api_(api) {}

  absl::StatusOr<std::vector<FileReport>> import() {
    VITRINE_RETURN_IF_ERROR(import_campaigns());
    VITRINE_RETURN_IF_ERROR(read_uses());
    VITRINE_RETURN_IF_ERROR(import_offers());
    VITRINE_RETURN_IF_ERROR(
        import_past("coupon_grants", "grants",
                    [this](const Row& row, std::string& json) { return append_grant(row, json); }));
    VITRINE_RETURN_IF_ERROR(import_past(
        "coupon_redemptions", "redemptions",
        [this](const Row& row, std::string& json) { return append_redemption(row, json); }));
    return std::move(reports_);
  }

 private:
  struct Coupon {
    Object object = {};  // without a body yet
    std::string campaign = {};
    std::string name = {};
    std::string value = {};
    std::optional<TimeMs> start_ms = {};
    std::optional<TimeMs> end_ms = {};
    std::vector<std::string> products = {};
  };

  // The ids of what there is.
  absl::StatusOr<StringSet> known(std::string_view list, std::string_view name) {
    VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                             api_.call("GET", fmt::format("/v1/{}", list)));
    VITRINE_ASSIGN_OR_RETURN(const boost::json::value parsed, parsed_answer(answer));
    StringSet ids;
    for (const boost::json::value& one : array_at(parsed, fmt::format("/{}", list))) {
      ids.insert(text_at(one, fmt::format("/{}", name)));
    }
    return ids;
  }

  // What the server refuses as wrong is a refused line; anything else ends the import.
  static absl::Status settle(const Object& object, const ApiClient::Answer& answer, RowFile& file) {
    if (answer.ok()) {
      file.count(true);
      return absl::OkStatus();
    }
    const absl::StatusCode code = answer.status().code();
    const bool is_refused =
        code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kFailedPrecondition;
    if (!is_refused) return answer.status();
    return file.refuse(object.line, message_of(answer.status()), object.raw);
  }

  absl::Status put_all(std::string_view path, const std::vector<Object>& objects, RowFile& file) {
    std::deque<std::pair<const Object*, std::future<ApiClient::Answer>>> sent;
    const auto settle_oldest = [&] {
      const Object& object = *sent.front().first;
      const ApiClient::Answer answer = sent.front().second.get();
      sent.pop_front();
      return settle(object, answer, file);
    };
    for (const Object& object : objects) {
      std::string target = fmt::format("{}{}", path, url_encoded(object.id));
      sent.emplace_back(&object, api_.send("PUT", std::move(target), object.body));
      if (sent.size() >= k_objects_in_flight) VITRINE_RETURN_IF_ERROR(settle_oldest());
    }
    while (!sent.empty()) VITRINE_RETURN_IF_ERROR(settle_oldest());
    reports_.push_back(file.finish());
    return absl::OkStatus();
  }

  absl::Status import_campaigns() {
    VITRINE_ASSIGN_OR_RETURN(const auto path, file_in(options_.folder, "campaigns"));
    VITRINE_ASSIGN_OR_RETURN(const StringSet there, known("campaigns", "campaign"));
    RowFile file(path, options_);
    std::vector<Object> made;
    VITRINE_RETURN_IF_ERROR(file.read([&](const Row& row) -> absl::Status {
      VITRINE_ASSIGN_OR_RETURN(Object object, campaign_in(row));
      if (there.contains(object.id)) {
        file.count(false);
      } else {
        made.push_back(std::move(object));
      }
      return absl::OkStatus();
    }));
    return put_all("/v1/campaigns/", made, file);
  }

  absl::StatusOr<Object> campaign_in(const Row& row) const {
    VITRINE_ASSIGN_OR_RETURN(const std::string_view id, needed(row, "campaign_id"));
    VITRINE_ASSIGN_OR_RETURN(const TimeMs start_ms, day_in(row, "start_date", options_.shift_ms));
    VITRINE_ASSIGN_OR_RETURN(const TimeMs last_ms, day_in(row, "end_date", options_.shift_ms));
    const std::string_view type = row.text("campaign_type");
    Object object{.id = std::string(id), .line = row.line, .raw = row.raw};
    http::JsonWriter json(object.body);
    json.begin_object().field("name", type.empty() ? fmt::format("Campaign {}", id)
                                                   : fmt::format("Campaign {}, type {}", id, type));
    json.field("state", "active").key("window").begin_object();
    json.field("start", format_time(start_ms)).field("end", format_time(last_ms + k_day_ms));
    json.end_object().key("holdout").begin_object().field("share", 0).end_object().end_object();
    return object;
  }

  // How often one person used each coupon at most: so often a grant of it can be used.
  absl::Status read_uses() {
    const auto path = file_in(options_.folder, "coupon_redemptions");
    if (!path.ok()) return absl::OkStatus();
    VITRINE_ASSIGN_OR_RETURN(RowReader reader, RowReader::open(*path));
    StringMap<std::int64_t> by_person;
    Row row;
    while (true) {
      VITRINE_ASSIGN_OR_RETURN(const bool found, reader.next(row));
      if (!found) return absl::OkStatus();
      const auto offer = offer_in(row);
      if (!offer.ok()) continue;
      const std::int64_t uses = ++by_person[fmt::format("{} {}", *offer, row.text("user_id"))];
      std::int64_t& most = uses_[*offer];
      most = std::max(most, uses);
    }
  }

  absl::Status import_offers() {
    VITRINE_ASSIGN_OR_RETURN(const auto coupons_path, file_in(options_.folder, "coupons"));
    VITRINE_ASSIGN_OR_RETURN(const auto items_path, file_in(options_.folder, "coupon_items"));
    VITRINE_ASSIGN_OR_RETURN(const StringSet there, known("offers", "offer"));
    RowFile file(coupons_path, options_);
    std::vector<Coupon> coupons;
    StringMap<std::size_t> places;
    VITRINE_RETURN_IF_ERROR(file.read([&](const Row& row) -> absl::Status {
      VITRINE_ASSIGN_OR_RETURN(Coupon coupon, coupon_in(row));
      if (!places.emplace(coupon.object.id, coupons.size()).second) {
        return invalid_argument("the coupon is there twice in this campaign");
      }
      coupons.push_back(std::move(coupon));
      return absl::OkStatus();
    }));
    VITRINE_RETURN_IF_ERROR(read_items(items_path, places, there, coupons));
    std::vector<Object> made;
    for (Coupon& coupon : coupons) {
      if (there.contains(coupon.object.id)) {
        file.count(false);
      } else if (coupon.products.empty()) {
        VITRINE_RETURN_IF_ERROR(
            file.refuse(coupon.object.line, "coupon_items lists no product", coupon.object.raw));
      } else {
        coupon.object.body = offer_json(coupon);
        made.push_back(std::move(coupon.object));
      }
    }
    return put_all("/v1/offers/", made, file);
  }

  absl::Status read_items(const std::filesystem::path& path, const StringMap<std::size_t>& places,
                          const StringSet& there, std::vector<Coupon>& coupons) {
    RowFile file(path, options_);
    VITRINE_RETURN_IF_ERROR(file.read([&](const Row& row) -> absl::Status {
      VITRINE_ASSIGN_OR_RETURN(const std::string offer, offer_in(row));
      VITRINE_ASSIGN_OR_RETURN(const std::string_view product, needed(row, "item_id"));
      const auto place = places.find(offer);
      if (place == places.end()) {
        return invalid_argument("there is no coupon {} in campaign {}", row.text("coupon_id"),
                                row.text("campaign_id"));
      }
      coupons[place->second].products.emplace_back(product);
      file.count(!there.contains(offer));
      return absl::OkStatus();
    }));
    reports_.push_back(file.finish());
    return absl::OkStatus();
  }

  absl::StatusOr<Coupon> coupon_in(const Row& row) const {
    Coupon coupon;
    VITRINE_ASSIGN_OR_RETURN(coupon.object.id, offer_in(row));
    coupon.object.line = row.line;
    coupon.object.raw = row.raw;
    coupon.campaign = row.text("campaign_id");
    const std::string_view department = row.text("main_department");
    coupon.name = fmt::format("{}{}Coupon {}", department, department.empty() ? "" : ": ",
                              row.text("coupon_id"));
    coupon.value = row.text("value").empty() ? options_.value : std::string(row.text("value"));
    if (coupon.value.empty()) {
      return invalid_argument(
          "value is needed: what the coupon takes off, here or as "
          "--coupon-value");
    }
    if (!row.text("valid_from").empty()) {
      VITRINE_ASSIGN_OR_RETURN(coupon.start_ms, day_in(row, "valid_from", options_.shift_ms));
    }
    if (!row.text("valid_to").empty()) {
      VITRINE_ASSIGN_OR_RETURN(coupon.end_ms, day_in(row, "valid_to", options_.shift_ms));
      *coupon.end_ms += k_day_ms;
    }
    return coupon;
  }

  // So much off the products it lists, from as much on.
  std::string offer_json(const Coupon& coupon) const {
    std::string body;
    http::JsonWriter json(body);
    json.begin_object().field("campaign", coupon.campaign).field("name", coupon.name);
    json.field("trigger", "granted").key("effect").begin_object();
    json.field("kind", "full_reduction").end_object().key("amounts").begin_object();
    json.key("*").begin_object().field("currency", options_.currency).key("tiers").begin_array();
    json.begin_object().field("threshold", coupon.value).field("off", coupon.value).end_object();
    json.end_array().end_object().end_object().key("conditions").begin_object();
    json.key("product_ids").begin_array();
    for (const std::string& product : coupon.products) json.value(product);
    json.end_array().end_object().key("validity").begin_object();
    if (coupon.start_ms) json.field("start", format_time(*coupon.start_ms));
    if (coupon.end_ms) json.field("end", format_time(*coupon.end_ms));
    const auto uses = uses_.find(coupon.object.id);
    json.end_object().field("uses_per_grant", uses == uses_.end() ? 1 : uses->second).end_object();
    return body;
  }

  absl::Status import_past(std::string_view name, std::string_view list,
                           std::function<absl::Status(const Row&, std::string&)> append) {
    const auto path = file_in(options_.folder, name);
    if (!path.ok()) return absl::OkStatus();
    const std::string target = fmt::format("/v1/import/{}", list);
    Importer importer(api_, {.path = target,
                             .list = list,
                             .counted = "accepted",
                             .batch_rows = k_past_rows,
                             .batch_bytes = k_past_bytes,
                             .in_flight = k_past_in_flight,
                             .append = std::move(append)});
    Progress progress("coupons " + path->string(), options_.quiet);
    VITRINE_ASSIGN_OR_RETURN(FileReport report,
                             importer.import(*path, options_.rejected_path(*path), progress));
    reports_.push_back(std::move(report));
    return absl::OkStatus();
  }

  absl::Status append_grant(const Row& row, std::string& json) const {
    VITRINE_ASSIGN_OR_RETURN(const std::string offer, offer_in(row));
    VITRINE_ASSIGN_OR_RETURN(const TimeMs from_ms, day_in(row, "granted_on", options_.shift_ms));
    VITRINE_ASSIGN_OR_RETURN(const TimeMs last_ms, day_in(row, "expires_on", options_.shift_ms));
    http::JsonWriter(json)
        .begin_object()
        .field("offer", offer)
        .field("user_id", row.text("user_id"))
        .field("granted_at", format_time(from_ms))
        .field("valid_until", format_time(last_ms + k_day_ms))
        .end_object();
    return absl::OkStatus();
  }

  absl::Status append_redemption(const Row& row, std::string& json) const {
    VITRINE_ASSIGN_OR_RETURN(const std::string offer, offer_in(row));
    VITRINE_ASSIGN_OR_RETURN(const TimeMs time_ms, day_in(row, "redeemed_on", options_.shift_ms));
    const std::string_view order = row.text("order_id");
    const std::string_view discount = row.text("discount");
    http::JsonWriter(json)
        .begin_object()
        .field("order_id", order.empty() ? fmt::format("{}-{}-{}", offer, row.text("user_id"),
                                                       row.text("redeemed_on"))
                                         : std::string(order))
        .field("offer", offer)
        .field("user_id", row.text("user_id"))
        .field("redeemed_at", format_time(time_ms))
        .field("currency", options_.currency)
        .field("discount", discount.empty() ? std::string_view(options_.value) : discount)
        .end_object();
    return absl::OkStatus();
  }

  const CouponFolderOptions& options_;
  ApiClient& api_;
  StringMap<std::int64_t> uses_;  // by offer
  std::vector<FileReport> reports_;
};

}  // namespace

absl::StatusOr<std::vector<FileReport>> import_coupon_folder(const CouponFolderOptions& options,
                                                             ApiClient& api) {
  return CouponFolder(options, api).import();
}

}  // namespace vitrine::app
