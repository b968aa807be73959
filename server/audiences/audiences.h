// Whom to reach: people like those of a segment, and people who would want a product or a category.
//
// Whoever refuses personalization is neither learnt from nor found. Asks everybody, which takes
// seconds in a large shop, so one question at a time. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"
#include "server/audiences/auc.h"
#include "server/catalog/catalog.h"
#include "server/identity/identity_book.h"
#include "server/live_model/live_model.h"
#include "server/profiles/profile_book.h"
#include "server/segments/segment_engine.h"

namespace vitrine::audiences {

struct Scored {
  UserNumber user;
  float score = 0;
};

struct Driver {
  std::string name;
  double weight = 0;  // of one standard deviation, in logits; of a category, of its mean taste
};

// Who is like the people of a segment.
struct Lookalike {
  std::size_t seed_people = 0;     // of the segment
  std::size_t seed_examples = 0;   // of those, learnt from or held out
  std::size_t other_examples = 0;  // people drawn from the rest
  std::size_t held_out = 0;        // of both, on which the AUC was measured
  Auc auc;
  std::vector<Driver> habits;      // strongest first
  std::vector<Driver> categories;  // likewise, at most k_drivers_max
  std::string model_version;       // empty: habits alone
  TimeMs made_ms = 0;
  std::vector<Scored> people;  // best first; the score is the chance to be one of an even draw
};

class Audiences {
 public:
  static constexpr std::size_t k_seed_min = 50;          // fewer say nothing
  static constexpr std::size_t k_examples_max = 10'000;  // of the seed, and of the rest
  static constexpr std::size_t k_found_max = 1'000'000;  // people of a lookalike
  static constexpr std::size_t k_answer_max = 10'000;    // people who would want something
  static constexpr std::size_t k_drivers_max = 10;
  static constexpr std::size_t k_results_max = 8;  // lookalikes kept in memory; the oldest go

  // All outlive it.
  struct Parts {
    const profiles::ProfileBook& profiles;
    const identity::IdentityBook& identities;
    const catalog::Catalog& catalog;
    const live_model::LiveModelSource& live_model;
    const segments::SegmentStore& segments;
    const segments::SegmentEngine& engine;
    const Clock& clock;
  };
  explicit Audiences(const Parts& parts) : parts_(parts) {}
  ~Audiences();  // stop()
  Audiences(const Audiences&) = delete;
  Audiences& operator=(const Audiences&) = delete;

  struct Run {
    enum class State { running, done, failed } state = State::running;
    double progress = 0;  // 0 to 1
    absl::Status failure;
    std::shared_ptr<const Lookalike> result;  // of the run before while this one is running
  };
  // Begins in the background. NotFound, FailedPrecondition (too few people), Unavailable (the
  // segment is being built), ResourceExhausted (another one is running).
  absl::Status start_lookalike(const std::string& segment);
  // Nothing when none was asked for since the start.
  std::optional<Run> lookalike(std::string_view segment) const;

  struct Wanted {
    std::size_t limit = 100;
    bool with_buyers = false;  // who bought it already, too
  };
  // FailedPrecondition: no model knows it. ResourceExhausted: somebody else is asking.
  absl::StatusOr<std::vector<Scored>> for_product(std::string_view product_id,
                                                  const Wanted& wanted) const;
  // `category` is a path, general to special; those below it count.
  absl::StatusOr<std::vector<Scored>> for_category(std::string_view category,
                                                   const Wanted& wanted) const;

  void stop();

 private:
  struct Job;
  using Visit = std::function<void(UserNumber, const profiles::Profile&)>;
  absl::Status walk(const Visit& visit) const;
  absl::StatusOr<Lookalike> find_alike(const std::string& segment, Job& job) const;
  using IsBuyer = std::function<bool(const profiles::Profile&)>;
  absl::StatusOr<std::vector<Scored>> nearest(
      const std::shared_ptr<const live_model::LiveModel>& live, const std::vector<float>& to,
      const IsBuyer& is_buyer, const Wanted& wanted) const;

  const Parts parts_;
  std::atomic<bool> is_ending_ = false;
  mutable std::mutex asking_;  // held by whoever asks everybody at once
  mutable std::mutex mutex_;   // guards those below
  std::map<std::string, std::shared_ptr<Job>, std::less<>> jobs_;
  std::thread thread_;
  bool is_running_ = false;
};

}  // namespace vitrine::audiences
