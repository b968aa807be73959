#include "server/rehearsal/blend_learning.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "server/recommend/blend.h"
#include "server/rehearsal/blend_lesson.h"
#include "server/rehearsal/blend_questions.h"
#include "server/rehearsal/rehearsal.h"
#include "training/interaction_list.h"
#include "training/memory_estimate.h"

namespace vitrine::rehearsal {
namespace {

using training::Interaction;

// About what part of a slice's time the model takes, and the questions of `home` after it.
constexpr double k_model_share = 0.4;
constexpr double k_home_share = 0.3;

// From `begin` on and before `end`.
struct Span {
  TimeMs begin;
  TimeMs end;
};

// What there is to learn from.
struct Times {
  std::map<TimeMs, std::size_t> of_hour;  // interactions
  std::size_t count = 0;
  TimeMs oldest = std::numeric_limits<TimeMs>::max();
  TimeMs newest = std::numeric_limits<TimeMs>::min();
};

constexpr TimeMs k_hour_ms = 60 * k_minute_ms;

absl::StatusOr<Times> times_of(const training::InteractionSource& source, TimeMs until) {
  Times times;
  VITRINE_RETURN_IF_ERROR(source([&](const Interaction& one) {
    if (one.time_ms > until) return;
    ++times.count;
    times.oldest = std::min(times.oldest, one.time_ms);
    times.newest = std::max(times.newest, one.time_ms);
    ++times.of_hour[one.time_ms / k_hour_ms];
  }));
  return times;
}

// When the newest slice of a busy shop begins: a part of it says enough.
TimeMs newest_begin(const Times& times, TimeMs length, std::size_t events_max) {
  const TimeMs begin = times.newest + 1 - length;
  std::size_t events = 0;
  for (auto hour = times.of_hour.rbegin(); hour != times.of_hour.rend(); ++hour) {
    events += hour->second;
    if (events > events_max) return std::max(begin, (hour->first + 1) * k_hour_ms);
  }
  return begin;
}

// The oldest first; none when there are no times. A shop too large to be kept in memory has enough
// to learn from in one.
std::vector<Span> slices_of(const Times& times, const BlendOptions& options) {
  if (times.oldest >= times.newest) return {};
  const auto all = static_cast<double>(times.newest - times.oldest);
  const TimeMs length =
      std::min(options.slice_ms, static_cast<TimeMs>(options.slice_share_max * all));
  const TimeMs begin = newest_begin(times, length, options.slice_events_max);
  std::vector<Span> slices = {{begin, times.newest + 1}};
  const bool is_whole = begin == times.newest + 1 - length;
  if (!is_whole || times.count > options.kept_max) return slices;
  const auto fitting = static_cast<std::size_t>(options.slices_share_max * all /
                                                static_cast<double>(std::max<TimeMs>(1, length)));
  while (slices.size() < std::min(options.slices_max, fitting))
    slices.push_back({slices.back().begin - length, slices.back().begin});
  std::ranges::reverse(slices);
  return slices;
}

struct Halves {
  training::Dataset before;
  training::InteractionList texts;  // what the slice refers to
  Slice slice;
};

// Nothing when nothing is known of before.
absl::StatusOr<std::optional<Halves>> divide(const training::InteractionSource& source,
                                             const Span& span,
                                             const training::DatasetOptions& data) {
  training::DatasetOptions before = data;
  before.until = span.begin;
  training::DatasetBuilder builder(before);
  Halves halves;
  VITRINE_RETURN_IF_ERROR(source([&](const Interaction& one) {
    if (one.time_ms < span.begin) {
      builder.add(one);
    } else if (one.time_ms < span.end) {
      halves.texts.add(one);
    }
  }));
  absl::StatusOr<training::Dataset> built = builder.build();
  if (built.status().code() == absl::StatusCode::kFailedPrecondition) return std::nullopt;
  if (!built.ok()) return built.status();
  halves.before = *std::move(built);
  halves.texts.for_each([&](const Interaction& one) {
    if (!data.is_left_out || !data.is_left_out(one.user)) halves.slice.push_back(one);
  });
  std::ranges::stable_sort(halves.slice, {}, &Interaction::time_ms);
  return halves;
}

// A model of what was before beside the texts of the slice; then books and examples, where the
// products of a person take the place of what the model was made from.
std::uint64_t bytes_of(const Halves& halves, const training::TrainOptions& train,
                       const BlendOptions& options) {
  constexpr std::uint64_t k_slice_event_bytes = 48 + sizeof(Interaction) + 160;
  constexpr std::uint64_t k_inputs = 36;     // of a placement of eight sources
  constexpr std::uint64_t k_taken = 20;      // of a question, as large shops go
  constexpr std::uint64_t k_placements = 2;  // `cart` or `product_page` alone has as many
  constexpr std::uint64_t k_growth = 2;      // a vector was copied when it grew last
  const std::uint64_t questions =
      std::min(options.questions_max, halves.slice.size() * options.slices_max);
  const std::uint64_t row = k_inputs * sizeof(float) * k_growth;
  return training::training_bytes(training::training_size(halves.before, train.als)) +
         halves.slice.size() * k_slice_event_bytes +
         k_placements * questions * (options.refusals_max + k_taken) * row;
}

// Goes through the slices, one after the other.
class Course {
 public:
  Course(const training::InteractionSource& source, std::span<const Product> catalog,
         const training::DatasetOptions& data, const training::TrainOptions& train,
         const training::TrainObserver& observer, const BlendOptions& options)
      : source_(source),
        catalog_(catalog),
        data_(data),
        train_(train),
        observer_(observer),
        options_(options) {}

  absl::StatusOr<LearntBlends> take() {
    const TimeMs until = data_.until.value_or(std::numeric_limits<TimeMs>::max());
    VITRINE_ASSIGN_OR_RETURN(const Times times, times_of(source_, until));
    const std::vector<Span> slices = slices_of(times, options_);
    if (slices.empty()) return left_out("the interactions have no times");
    slices_ = slices.size();
    VITRINE_RETURN_IF_ERROR(keep(times, until));
    for (const Span& span : slices) {
      VITRINE_RETURN_IF_ERROR(learn_from(span));
      if (!reason_.empty()) return left_out(reason_);
      ++done_;
    }
    if (questions_ == 0) return left_out("nothing to learn from");
    BlendTable::Placements placements;
    for (BlendLesson* lesson : lessons_) lesson->learn(placements, learnt_);
    VITRINE_ASSIGN_OR_RETURN(learnt_.table, BlendTable::create(std::move(placements)));
    return std::move(learnt_);
  }

 private:
  // Several slices are several passes: from memory.
  absl::Status keep(const Times& times, TimeMs until) {
    if (slices_ == 1 || times.count > options_.kept_max) return absl::OkStatus();
    VITRINE_RETURN_IF_ERROR(source_([&](const Interaction& one) {
      if (one.time_ms <= until) kept_.add(one);
    }));
    source_ = [this](const std::function<void(const Interaction&)>& take) {
      kept_.for_each(take);
      return absl::OkStatus();
    };
    return absl::OkStatus();
  }

  absl::Status learn_from(const Span& span) {
    VITRINE_ASSIGN_OR_RETURN(std::optional<Halves> halves, divide(source_, span, data_));
    if (!halves || halves->slice.empty()) return absl::OkStatus();
    const std::uint64_t bytes = bytes_of(*halves, train_, options_);
    learnt_.expected_bytes = std::max(learnt_.expected_bytes, bytes);
    if (options_.bytes_max > 0 && bytes > options_.bytes_max) {
      reason_ = fmt::format("it needs about {} MiB, {} MiB may be used", bytes >> 20U,
                            options_.bytes_max >> 20U);
      return absl::OkStatus();
    }
    const FakeClock clock(span.begin);
    const training::TrainObserver observer{.on_epoch =
                                               [&](const training::EpochReport& epoch) {
                                                 tell(k_model_share * epoch.epoch / epoch.epochs);
                                               },
                                           .on_stage = {},
                                           .cancel = observer_.cancel};
    VITRINE_ASSIGN_OR_RETURN(
        const training::TrainOutcome trained,
        training::train(halves->before, train_, {.name = "blend"}, clock, observer, {}, catalog_));
    halves->before = {};
    return ask(span, halves->slice, trained.model);
  }

  absl::Status ask(const Span& span, const Slice& slice,
                   std::shared_ptr<const TrainedModel> model) {
    const StringSet people = people_of(slice);
    Rehearsal rehearsal(span.begin, [&](std::string_view user) { return people.contains(user); });
    VITRINE_RETURN_IF_ERROR(source_([&](const Interaction& one) {
      if (one.time_ms < span.begin) rehearsal.take(one);
    }));
    VITRINE_RETURN_IF_ERROR(
        rehearsal.open({catalog_.begin(), catalog_.end()}, std::move(model), book_));
    const std::size_t questions_max = options_.questions_max / slices_;
    const std::vector<Question> questions =
        visits(slice, rehearsal, home_.placement(), questions_max);
    for (std::size_t i = 0; i < questions.size(); ++i) {
      VITRINE_RETURN_IF_ERROR(cancelled_if_asked());
      add(home_, questions[i], rehearsal);
      tell(k_model_share + k_home_share * share_of(i, questions.size()));
    }
    const Player player{
        .on_cart = [&](const Question& question) { add(cart_, question, rehearsal); },
        .on_page = [&](const Question& question) { add(page_, question, rehearsal); },
        .goes_on =
            [&](std::size_t event) {
              const double share = share_of(event, slice.size());
              tell(k_model_share + k_home_share + (1 - k_model_share - k_home_share) * share);
              return cancelled_if_asked().ok();
            }};
    play(slice, rehearsal, questions_max, player);
    return cancelled_if_asked();
  }

  void add(BlendLesson& lesson, const Question& question, const Rehearsal& rehearsal) {
    ++questions_;
    lesson.add(question, rehearsal);
  }

  absl::Status cancelled_if_asked() const {
    const bool is_asked = observer_.cancel != nullptr && observer_.cancel->load();
    return is_asked ? absl::CancelledError("training was cancelled") : absl::OkStatus();
  }

  static double share_of(std::size_t done, std::size_t all) {
    return static_cast<double>(done + 1) / static_cast<double>(all);
  }

  // How far this slice is.
  void tell(double share) const {
    if (!observer_.on_progress) return;
    observer_.on_progress(fmt::format("slice {} of {}", done_ + 1, slices_),
                          (static_cast<double>(done_) + share) / static_cast<double>(slices_));
  }

  LearntBlends left_out(std::string reason) const {
    LearntBlends learnt;
    learnt.expected_bytes = 0;
    learnt.left_out[""] = std::move(reason);
    return learnt;
  }

  training::InteractionSource source_;
  training::InteractionList kept_;
  std::span<const Product> catalog_;
  const training::DatasetOptions& data_;
  const training::TrainOptions& train_;
  const training::TrainObserver& observer_;
  const BlendOptions& options_;

  const recommend::PlacementBook book_ = recommend::PlacementBook::shipped();
  BlendLesson home_{*book_.find("home"), options_};
  BlendLesson cart_{*book_.find("cart"), options_};
  BlendLesson page_{*book_.find("product_page"), options_};
  std::array<BlendLesson*, 3> lessons_ = {&home_, &cart_, &page_};

  std::size_t slices_ = 1;
  std::size_t done_ = 0;
  std::size_t questions_ = 0;
  std::string reason_;  // why everything is left out
  LearntBlends learnt_;
};

}  // namespace

absl::StatusOr<LearntBlends> learn_blends(const training::InteractionSource& source,
                                          std::span<const Product> catalog,
                                          const training::DatasetOptions& data,
                                          const training::TrainOptions& train,
                                          const training::TrainObserver& observer,
                                          const BlendOptions& options) {
  return Course(source, catalog, data, train, observer, options).take();
}

}  // namespace vitrine::rehearsal
