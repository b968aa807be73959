#include "server/coupons/coupon_decision.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/status.h"
#include "model/proto/coupon_decision.pb.h"

namespace vitrine::coupons {
namespace {

constexpr std::size_t k_id_bytes = 26;
constexpr std::size_t k_time_digits = 10;  // of the id

}  // namespace

std::string_view name_of(DecisionOutcome outcome) {
  switch (outcome) {
    case DecisionOutcome::nothing:
      return "nothing";
    case DecisionOutcome::shown:
      return "shown";
    case DecisionOutcome::granted:
      return "granted";
    case DecisionOutcome::ghost:
      return "ghost";
  }
  return "";
}

std::string encode(const CouponDecision& decision) {
  proto::CouponDecision out;
  out.set_time_ms(decision.time_ms);
  out.set_user(decision.user.value());
  out.set_person(decision.person.value());
  out.set_offer(decision.offer);
  out.set_propensity(decision.propensity);
  out.set_assignment(static_cast<std::uint32_t>(decision.assignment));
  out.set_outcome(static_cast<std::uint32_t>(decision.outcome));
  for (const DecisionArm& arm : decision.arms) {
    proto::CouponDecision::Arm& added = *out.add_arms();
    added.set_offer(arm.offer);
    added.set_score(arm.score);
    added.set_propensity(arm.propensity);
  }
  out.set_policy(decision.policy);
  out.set_policy_version(decision.policy_version);
  return out.SerializeAsString();
}

absl::StatusOr<CouponDecision> decode_coupon_decision(std::string_view key,
                                                      std::string_view bytes) {
  proto::CouponDecision in;
  const bool is_known =
      key.size() > k_id_bytes && in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
      in.assignment() <= static_cast<std::uint32_t>(training::Assignment::universal_control) &&
      in.outcome() <= static_cast<std::uint32_t>(DecisionOutcome::ghost);
  if (!is_known) return data_loss("a coupon decision of {} bytes cannot be read", bytes.size());
  CouponDecision decision{.decision_id = std::string(key.substr(0, k_id_bytes)),
                          .campaign = std::string(key.substr(k_id_bytes)),
                          .time_ms = in.time_ms(),
                          .user = UserNumber(in.user()),
                          .person = UserNumber(in.person()),
                          .offer = std::move(*in.mutable_offer()),
                          .propensity = in.propensity(),
                          .assignment = static_cast<training::Assignment>(in.assignment()),
                          .outcome = static_cast<DecisionOutcome>(in.outcome()),
                          .arms = {},
                          .policy = std::move(*in.mutable_policy()),
                          .policy_version = in.policy_version()};
  for (proto::CouponDecision::Arm& arm : *in.mutable_arms()) {
    decision.arms.push_back({.offer = std::move(*arm.mutable_offer()),
                             .score = arm.score(),
                             .propensity = arm.propensity()});
  }
  return decision;
}

std::string decision_key(const CouponDecision& decision) {
  return decision.decision_id + decision.campaign;
}

std::string decisions_from(TimeMs time_ms) {
  return make_ulid(std::max(time_ms, TimeMs{0})).substr(0, k_time_digits);
}

}  // namespace vitrine::coupons
