#include "server/decisions/decision.h"

#include <algorithm>

#include "base/status.h"
#include "model/proto/decision.pb.h"

namespace vitrine::decisions {
namespace {

constexpr std::string_view k_digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford base 32
constexpr std::size_t k_ulid_bytes = 26;
constexpr std::size_t k_time_digits = 10;

}  // namespace

std::optional<std::size_t> Decision::place_of(std::string_view product_id) const {
  const auto found = std::ranges::find(shown, product_id, &ShownProduct::product_id);
  if (found == shown.end()) return std::nullopt;
  return static_cast<std::size_t>(found - shown.begin());
}

std::string encode(const Decision& decision) {
  proto::Decision out;
  out.set_time_ms(decision.time_ms);
  out.set_sequence(decision.sequence);
  out.set_placement(decision.placement);
  out.set_placement_version(decision.placement_version);
  out.set_model_version(decision.model_version);
  out.set_user(decision.user.value());
  for (const ShownProduct& shown : decision.shown) {
    proto::Decision::Shown& added = *out.add_shown();
    added.set_product_id(shown.product_id);
    added.set_source(shown.source);
    added.set_score(shown.score);
    if (shown.propensity) added.set_propensity(*shown.propensity);
  }
  return out.SerializeAsString();
}

absl::StatusOr<Decision> decode_decision(std::string_view recommendation_id,
                                         std::string_view bytes) {
  proto::Decision in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return data_loss("the decision {} of {} bytes cannot be read", recommendation_id, bytes.size());
  }
  Decision decision;
  decision.recommendation_id = recommendation_id;
  decision.time_ms = in.time_ms();
  decision.sequence = in.sequence();
  decision.placement = std::move(*in.mutable_placement());
  decision.placement_version = in.placement_version();
  decision.model_version = std::move(*in.mutable_model_version());
  decision.user = UserNumber(in.user());
  decision.shown.reserve(static_cast<std::size_t>(in.shown_size()));
  for (proto::Decision::Shown& shown : *in.mutable_shown()) {
    ShownProduct& product = decision.shown.emplace_back();
    product.product_id = std::move(*shown.mutable_product_id());
    product.source = std::move(*shown.mutable_source());
    product.score = shown.score();
    if (shown.has_propensity()) product.propensity = shown.propensity();
  }
  return decision;
}

std::optional<TimeMs> time_in_ulid(std::string_view ulid) {
  if (ulid.size() != k_ulid_bytes) return std::nullopt;
  TimeMs time_ms = 0;
  for (const char c : ulid.substr(0, k_time_digits)) {
    const std::size_t digit = k_digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    time_ms = time_ms * 32 + static_cast<TimeMs>(digit);
  }
  return time_ms;
}

std::string ulid_time(TimeMs time_ms) {
  std::string text(k_time_digits, k_digits.front());
  for (std::size_t i = k_time_digits; i-- > 0; time_ms /= 32) {
    text[i] = k_digits[static_cast<std::size_t>(time_ms % 32)];
  }
  return text;
}

}  // namespace vitrine::decisions
