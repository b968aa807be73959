// What another system gave and took, for history: POST /v1/import/grants and
// /v1/import/redemptions.
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

#include "base/status.h"
#include "server/coupons/desk.h"
#include "server/http/campaign_json.h"
#include "server/http/handlers/coupon_routes.h"
#include "server/http/handlers/later.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

using coupons::PastGrant;
using coupons::PastOutcome;
using coupons::PastRedemption;

constexpr std::size_t k_id_bytes_max = 256;
constexpr std::size_t k_code_bytes_max = coupons::Offer::k_code_bytes_max;
constexpr std::size_t k_currency_bytes_max = 3;
constexpr std::string_view k_usual_round = "import";

struct Rejection {
  std::size_t index = 0;  // in the request
  std::string_view code;
  std::string message;
};

template <class Past>
struct PastBatch {
  std::vector<Past> taken;
  std::vector<std::size_t> indexes;  // of these, in the request
  std::vector<Rejection> rejected;
};

// A moment that must be there.
TimeMs needed_moment(ObjectReader& reader, std::string_view name) {
  const auto time_ms = read_moment(reader, name);
  if (!time_ms) reader.refuse(name, "is needed");
  return time_ms.value_or(0);
}

PastGrant read_past(ObjectReader& reader, const PastGrant*) {
  PastGrant past;
  past.offer = reader.required_text("offer", k_id_bytes_max);
  past.user_id = reader.required_text("user_id", k_id_bytes_max);
  past.code = reader.text("code", k_code_bytes_max).value_or("");
  past.round = reader.text("round", k_id_bytes_max).value_or(k_usual_round);
  past.issued_ms = needed_moment(reader, "granted_at");
  past.valid_until_ms = needed_moment(reader, "valid_until");
  if (past.valid_until_ms <= past.issued_ms) {
    reader.refuse("valid_until", "must be after granted_at");
  }
  return past;
}

PastRedemption read_past(ObjectReader& reader, const PastRedemption*) {
  PastRedemption past;
  past.order_id = reader.required_text("order_id", k_id_bytes_max);
  past.offer = reader.required_text("offer", k_id_bytes_max);
  past.user_id = reader.text("user_id", k_id_bytes_max).value_or("");
  past.round = reader.text("round", k_id_bytes_max).value_or(k_usual_round);
  past.time_ms = needed_moment(reader, "redeemed_at");
  past.currency = reader.required_text("currency", k_currency_bytes_max);
  if (!is_currency(past.currency)) {
    reader.refuse("currency",
                  fmt::format("must be three capital letters as EUR, got '{}'", past.currency));
  }
  const auto discount = read_amount(reader, "discount", past.currency);
  if (!discount) reader.refuse("discount", "is needed");
  past.discount = discount.value_or(Money{});
  if (past.discount.minor > coupons::CartLine::k_amount_max) {
    reader.refuse("discount",
                  fmt::format("must be at most {}",
                              format_money({coupons::CartLine::k_amount_max}, past.currency)));
  }
  return past;
}

template <class Past>
absl::StatusOr<PastBatch<Past>> read_batch(const Services& services, const Request& request,
                                           std::string_view list) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  const boost::json::array* const all = reader.array(list, coupons::k_past_max);
  if (all == nullptr) reader.refuse(list, "is needed");
  VITRINE_RETURN_IF_ERROR(reader.finish());
  PastBatch<Past> batch;
  for (std::size_t index = 0; index < all->size(); ++index) {
    ObjectReader one((*all)[index], fmt::format("{}[{}]", list, index));
    Past past = read_past(one, static_cast<const Past*>(nullptr));
    if (const absl::Status status = one.finish(); !status.ok()) {
      batch.rejected.push_back({index, "invalid_argument", std::string(message_of(status))});
      continue;
    }
    batch.taken.push_back(std::move(past));
    batch.indexes.push_back(index);
  }
  return batch;
}

Response import_response(const std::vector<PastOutcome>& outcomes,
                         const std::vector<std::size_t>& indexes, std::vector<Rejection> rejected) {
  std::size_t accepted = 0;
  std::size_t duplicates = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const PastOutcome& one = outcomes[i];
    if (!one.refusal.empty()) {
      rejected.push_back({indexes[i], "refused", one.refusal});
    } else {
      ++(one.is_new ? accepted : duplicates);
    }
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("accepted", accepted).field("duplicates", duplicates);
  json.key("rejected").begin_array();
  for (const Rejection& one : rejected) {
    json.begin_object().field("index", one.index).field("code", one.code);
    json.field("message", one.message).end_object();
  }
  json.end_array().end_object();
  return json_response(std::move(body));
}

template <class Past>
void import_past(const Services& services, const Request& request, Reply reply,
                 std::string_view list) {
  auto batch = read_batch<Past>(services, request, list);
  if (!batch.ok()) return reply.fail(batch.status());
  const LaterReply later(std::move(reply));
  const auto answer = [later, indexes = std::move(batch->indexes),
                       rejected = std::move(batch->rejected)](
                          const absl::StatusOr<std::vector<PastOutcome>>& outcomes) {
    if (!outcomes.ok()) return later->fail(outcomes.status());
    later->send(import_response(*outcomes, indexes, rejected));
  };
  later.fail_unless_ok(services.coupons.take_over(std::move(batch->taken), answer));
}

}  // namespace

void add_coupon_import_routes(Router& router, const Services& services) {
  router.add("POST", "/v1/import/grants", Scope::admin, [&services](Request& request, Reply reply) {
    import_past<PastGrant>(services, request, std::move(reply), "grants");
  });
  router.add("POST", "/v1/import/redemptions", Scope::admin,
             [&services](Request& request, Reply reply) {
               import_past<PastRedemption>(services, request, std::move(reply), "redemptions");
             });
}

}  // namespace vitrine::http
