#include "server/coupons/coupon_decision_log.h"

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <utility>

#include "base/status.h"
#include "server/events/replacements.h"
#include "server/events/unawaited_writer.h"
#include "server/store/key.h"

namespace vitrine::coupons {
namespace {

using store::Family;

// Not beside the decisions, see docs/architecture.md.
constexpr std::string_view k_state_key = "coupon_decisions";
// With each write go at most this many old decisions for one new one, and some more.
constexpr std::size_t k_expired_for_each = 2;
constexpr std::size_t k_expired_beside = 64;

}  // namespace

struct CouponDecisionLog::State {
  using Writer = events::UnawaitedWriter<CouponDecision>;
  State(const store::Database& database_in, Metrics& metrics, const Options& options_in)
      : database(database_in),
        options(options_in),
        written(metrics.counter("vitrine_coupon_decisions_written_total",
                                "Decisions about coupons that were kept")),
        writer({.waiting_max = options_in.waiting_max,
                .written = written,
                .dropped =
                    metrics.counter("vitrine_coupon_decisions_dropped_total",
                                    "Decisions not kept, because too much waited to be written"),
                .stage =
                    [this](events::Batch& batch, const std::vector<CouponDecision>& taken) {
                      for (const CouponDecision& decision : taken) put(batch, decision);
                      finish(batch, taken.size());
                    },
                .unname_if_erased =
                    [](CouponDecision& decision, const Writer::Erased& erased) {
                      if (!erased.contains(decision.user)) return;
                      decision.user = decision.person = k_nobody;
                    }}) {}

  void put(events::Batch& batch, const CouponDecision& decision) {
    ++count;
    batch.put(Family::coupon_decisions, decision_key(decision), encode(decision));
  }
  void finish(events::Batch& batch, std::size_t added) {
    expire(batch, k_expired_for_each * added + k_expired_beside);
    batch.put(Family::meta, k_state_key, store::key_of(count.load()));
  }
  void expire(events::Batch& batch, std::size_t at_most);

  const store::Database& database;
  const Options options;
  Counter& written;
  Writer writer;

  // The committer thread's own, but for reading sizes.
  std::atomic<std::uint64_t> count{0};
  std::string oldest;  // no decision lies before it
};

// Erases from the oldest on what is past its time or too much.
void CouponDecisionLog::State::expire(events::Batch& batch, std::size_t at_most) {
  const std::string kept_from = decisions_from(batch.time_ms() - options.days_kept * k_day_ms);
  const auto may_stay = [&] { return count <= options.decisions_max && oldest >= kept_from; };
  if (may_stay()) return;
  const auto cursor = database.walk(Family::coupon_decisions, oldest, false);
  for (; cursor->valid(); cursor->next()) {
    oldest = cursor->key();
    if (at_most-- == 0 || may_stay()) return;
    batch.erase(Family::coupon_decisions, oldest);
    oldest += '\0';
    --count;
  }
}

CouponDecisionLog::CouponDecisionLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
CouponDecisionLog::~CouponDecisionLog() = default;

absl::StatusOr<std::unique_ptr<CouponDecisionLog>> CouponDecisionLog::open(
    const store::Database& database, Metrics& metrics, const Options& options) {
  auto state = std::make_unique<State>(database, metrics, options);
  VITRINE_ASSIGN_OR_RETURN(const auto stored, database.get(Family::meta, k_state_key));
  if (stored) {
    const auto count = store::number_in(*stored);
    if (!count) return data_loss("the state of the coupon decisions cannot be read");
    state->count = *count;
  }
  return std::unique_ptr<CouponDecisionLog>(new CouponDecisionLog(std::move(state)));
}

void CouponDecisionLog::record(events::Committer& committer, CouponDecision decision) {
  state_->writer.record(committer, std::move(decision));
}

void CouponDecisionLog::stage(events::Batch& batch, const CouponDecision& decision) {
  state_->put(batch, decision);
  state_->finish(batch, 1);
  batch.after_sync([state = state_.get()] { state->written.add(); });
}

absl::Status CouponDecisionLog::for_each(
    const Range& range, const std::function<void(const CouponDecision&)>& visit) const {
  const auto cursor =
      state_->database.walk(Family::coupon_decisions, decisions_from(range.from_ms), true);
  for (; cursor->valid(); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(const CouponDecision decision,
                             decode_coupon_decision(cursor->key(), cursor->value()));
    if (decision.time_ms >= range.until_ms) break;
    if (!range.campaign.empty() && decision.campaign != range.campaign) continue;
    if (decision.time_ms >= range.from_ms) visit(decision);
  }
  return cursor->status();
}

std::uint64_t CouponDecisionLog::size() const { return state_->count; }

absl::StatusOr<std::string> CouponDecisionLog::export_person(
    const events::DataSubject& subject) const {
  boost::json::array decisions;
  VITRINE_RETURN_IF_ERROR(for_each({}, [&](const CouponDecision& decision) {
    if (!subject.did(decision.user)) return;
    decisions.push_back({{"decision_id", decision.decision_id},
                         {"time", format_time(decision.time_ms)},
                         {"campaign", decision.campaign},
                         {"offer", decision.offer},
                         {"group", training::name_of(decision.assignment)},
                         {"outcome", name_of(decision.outcome)}});
  }));
  return boost::json::serialize(decisions);
}

// A decision that was being made when its person was erased is written without a name, too.
absl::StatusOr<events::Erased> CouponDecisionLog::erase_person(const events::DataSubject& subject,
                                                               events::Committer& committer) {
  state_->writer.erase(subject.histories);
  events::Replacer replacer(committer);
  const auto cursor = state_->database.walk(Family::coupon_decisions, "", true);
  for (; cursor->valid(); cursor->next()) {
    VITRINE_ASSIGN_OR_RETURN(CouponDecision decision,
                             decode_coupon_decision(cursor->key(), cursor->value()));
    if (!subject.did(decision.user) && !subject.did(decision.person)) continue;
    decision.user = decision.person = k_nobody;
    VITRINE_RETURN_IF_ERROR(replacer.add({.family = Family::coupon_decisions,
                                          .key = std::string(cursor->key()),
                                          .before = std::string(cursor->value()),
                                          .after = encode(decision)}));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  VITRINE_ASSIGN_OR_RETURN(const std::size_t kept, replacer.finish());
  return events::Erased{.dropped = 0, .kept_without_person = kept};
}

}  // namespace vitrine::coupons
