// What an expression can say about a person: traits computed from what they did, as of now.
//
// A PersonSubject works out what is asked for, once, and is asked from one thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "server/catalog/catalog.h"
#include "server/expressions/program.h"
#include "server/expressions/schema.h"
#include "server/profiles/profile.h"
#include "server/segments/levels.h"
#include "server/segments/rfm.h"

namespace vitrine::segments {

// Days that end a stage of life.
constexpr TimeMs k_new_days = 30;       // since the first order
constexpr TimeMs k_active_days = 90;    // since the latest
constexpr TimeMs k_at_risk_days = 180;  // likewise; then churned

const expressions::Schema& person_schema();

// No event, but that somebody was first seen at another time than was known: a late event, or one
// of a visitor who became part of them. Beside the kinds of events, which are fewer than 63.
constexpr expressions::EventTypes k_first_seen_moved = expressions::EventTypes{1} << 63;
static_assert(k_event_type_count < 63);

// The kinds of events that can change what a program about people says, in_segment(...) aside.
expressions::EventTypes event_types_of(const expressions::Program& program);

class PersonSubject;

// Whether somebody is in a segment.
class SegmentLookup {
 public:
  virtual ~SegmentLookup() = default;
  // Nothing for a segment there is not.
  virtual std::optional<bool> is_in(std::string_view key, const PersonSubject& person,
                                    TimeMs& changes_at_ms) const = 0;
};

// What people are seen against; outlives the subjects.
struct Surroundings {
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;  // null: no categories and brands
  RfmBounds rfm;
  std::shared_ptr<const LevelRules> levels = nullptr;  // null: nobody has one
  std::shared_ptr<const SegmentLookup> segments;       // null: nobody is in any
};

// Gives the surroundings of the moment. Thread-safe.
class SurroundingsSource {
 public:
  virtual ~SurroundingsSource() = default;
  virtual Surroundings surroundings() const = 0;
};

class PersonSubject final : public expressions::Subject {
 public:
  // `is_visitor`: no user id of theirs is known. All outlive it.
  PersonSubject(UserNumber user, bool is_visitor, const profiles::Profile& profile, TimeMs now_ms,
                const Surroundings& around);

  UserNumber user() const { return user_; }
  bool is_visitor() const { return is_visitor_; }
  TimeMs now_ms() const { return now_ms_; }
  const std::vector<profiles::OrderSum>& orders() const;  // oldest first
  std::optional<RfmFigures> rfm_figures() const;
  std::optional<RfmScores> rfm() const;
  std::string_view rfm_group() const;  // empty while nobody can be scored
  std::string_view stage() const;      // prospect, new, active, at_risk, churned
  double net_spend() const;            // in the currency of the latest order
  std::string_view currency() const;   // empty when none was told
  const Level& level() const;

  std::optional<bool> boolean(std::size_t slot) const override;
  std::optional<double> number(std::size_t slot) const override;
  std::optional<std::string_view> text(std::size_t slot) const override;
  std::span<const std::string> texts(std::size_t slot) const override;
  std::optional<std::string_view> entry(std::size_t slot, std::string_view key) const override;
  std::size_t entry_count(std::size_t slot) const override;
  TimeMs changes_at_ms(std::size_t slot) const override;

  std::optional<expressions::Counted> event_count(EventType type, std::string_view category,
                                                  TimeMs since_ms) const override;
  std::optional<expressions::Counted> spend(TimeMs since_ms) const override;
  std::optional<double> last_event_ms(EventType type) const override;
  std::optional<bool> is_in_segment(std::string_view key, TimeMs& changes_at_ms) const override;
  std::optional<double> bucket(std::string_view seed) const override;

  // What was found out about the segment that SegmentPrograms gave the number `at`, so that
  // segments that ask for one another cost what they cost once.
  struct Found {
    bool is_in;
    TimeMs changes_at_ms;
  };
  const Found* found(std::size_t at) const;  // null: nothing yet
  void remember(std::size_t at, const Found& found) const;

 private:
  struct Money {
    std::uint32_t code = 0;
    std::string currency;
    double unit = 1;  // minor units in one of the currency
  };
  const Money& money() const;
  double net_of(const profiles::OrderSum& order) const;
  const std::vector<std::string>& top_categories() const;
  const std::vector<std::string>& top_brands() const;
  void find_tops() const;
  // Between the quartiles of the prices of what they had to do with lately.
  struct PriceBand {
    std::optional<double> from;
    std::optional<double> to;
  };
  const PriceBand& prices() const;
  std::optional<double> rfm_number(int RfmScores::* score) const;
  TimeMs stage_ends_ms() const;
  TimeMs rfm_changes_ms() const;
  expressions::Counted count_deeds(EventType type, TimeMs since_ms) const;
  expressions::Counted count_recent(EventType type, std::string_view category,
                                    TimeMs since_ms) const;

  UserNumber user_;
  bool is_visitor_;
  const profiles::Profile& profile_;
  TimeMs now_ms_;
  const Surroundings& around_;
  mutable std::optional<std::vector<profiles::OrderSum>> orders_;
  mutable std::optional<Money> money_;
  mutable std::optional<std::vector<std::string>> top_categories_;
  mutable std::vector<std::string> top_brands_;
  mutable std::vector<std::optional<Found>> found_;
  mutable std::optional<std::optional<RfmScores>> scores_;
  mutable std::optional<Level> level_;
  mutable std::optional<PriceBand> prices_;
  mutable TimeMs scores_change_ms_ = 0;  // 0: not asked yet
};

// The share of chance of a person under a seed, in [0, 1).
double bucket_of(std::string_view seed, UserNumber user);

}  // namespace vitrine::segments
