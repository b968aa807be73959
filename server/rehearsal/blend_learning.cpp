#include "server/rehearsal/blend_learning.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "server/recommend/blend.h"
#include "server/rehearsal/blend_questions.h"
#include "server/rehearsal/rehearsal.h"
#include "training/interaction_list.h"
#include "training/logistic.h"
#include "training/memory_estimate.h"

namespace vitrine::rehearsal {
namespace {

using recommend::Placement;
using recommend::SourceWeight;
using training::Interaction;

constexpr std::size_t k_kept_apart_one_in = 5;  // questions, to judge the calibration by

// The examples of one placement.
class Lesson {
 public:
  Lesson(const Placement& placement, const BlendOptions& options)
      : placement_(placement),
        options_(options),
        inputs_(recommend::blend_input_count(placement)),
        given_(placement.sources.size()) {
    fitted_.inputs = kept_apart_.inputs = inputs_;
  }

  const Placement& placement() const { return placement_; }

  // A question none of whose candidates were taken teaches nothing about their order, but counts:
  // probabilities would be too high without it.
  void add(const Question& question, const Rehearsal& rehearsal) {
    const auto candidates = rehearsal.recommender().candidates(question.request);
    if (!candidates.ok()) return;
    training::LogisticExamples& examples =
        questions_++ % k_kept_apart_one_in == 0 ? kept_apart_ : fitted_;
    std::vector<std::size_t> refused;
    for (std::size_t i = 0; i < candidates->products.size(); ++i) {
      if (question.wanted.contains(rehearsal.numbers().id_of(candidates->products[i]))) {
        ++taken_;
        add_row(*candidates, i, 1, 1, examples);
      } else {
        refused.push_back(i);
      }
    }
    const std::size_t kept = std::min(refused.size(), options_.refusals_max);
    const float weight =
        kept == 0 ? 0 : static_cast<float>(refused.size()) / static_cast<float>(kept);
    for (std::size_t i = 0; i < kept; ++i) {
      const std::size_t drawn = i + random_.below(refused.size() - i);
      std::swap(refused[i], refused[drawn]);
      add_row(*candidates, refused[i], 0, weight, examples);
    }
  }

  // Ends the lesson: its examples are given back.
  void learn(BlendTable::Placements& placements, LearntBlends& learnt) {
    const std::string prefix = "blend." + placement_.name + ".";
    learnt.metrics[prefix + "questions"] = static_cast<double>(questions_);
    learnt.metrics[prefix + "taken"] = static_cast<double>(taken_);
    if (const std::string lack = lack_of(); !lack.empty()) {
      learnt.left_out[placement_.name] = lack;
    } else {
      fit(placements, learnt);
    }
    fitted_ = kept_apart_ = {};
  }

 private:
  // A source that was there for fewer examples than this keeps its hand-set weight.
  static constexpr std::size_t k_given_min = 200;

  std::string lack_of() const {
    if (questions_ < options_.questions_min)
      return fmt::format("{} questions, {} are needed", questions_, options_.questions_min);
    if (taken_ < options_.taken_min)
      return fmt::format("{} candidates were taken, {} are needed", taken_, options_.taken_min);
    return "";
  }

  void fit(BlendTable::Placements& placements, LearntBlends& learnt) {
    const auto judged = training::fit_logistic(fitted_, options_.ridge);
    if (judged.ok()) {
      const auto calibration = training::calibration_of(*judged, kept_apart_);
      report(calibration, "blend." + placement_.name + ".", learnt.metrics);
    }
    append(std::exchange(kept_apart_, {}), fitted_);
    const auto fit = training::fit_logistic(fitted_, options_.ridge);
    if (fit.ok()) {
      placements[placement_.name] = blend_of(*fit);
    } else {
      learnt.left_out[placement_.name] = "all candidates were taken";
    }
  }

  void add_row(const recommend::Candidates& candidates, std::size_t i, std::uint8_t label,
               float weight, training::LogisticExamples& examples) {
    const auto begin = candidates.inputs.begin() + static_cast<std::ptrdiff_t>(i * inputs_);
    examples.values.insert(examples.values.end(), begin,
                           begin + static_cast<std::ptrdiff_t>(inputs_));
    examples.labels.push_back(label);
    examples.weights.push_back(weight);
    for (std::size_t source = 0; source < given_.size(); ++source) {
      if (begin[static_cast<std::ptrdiff_t>(source)] > 0) ++given_[source];
    }
  }

  static void append(const training::LogisticExamples& from, training::LogisticExamples& to) {
    to.values.insert(to.values.end(), from.values.begin(), from.values.end());
    to.labels.insert(to.labels.end(), from.labels.begin(), from.labels.end());
    to.weights.insert(to.weights.end(), from.weights.begin(), from.weights.end());
  }

  // Hand-set weights in the unit of the learnt ones: as if both had the same sum where both are
  // known.
  BlendOfPlacement blend_of(const training::LogisticModel& fit) const {
    const std::size_t count = given_.size();
    double learnt_sum = 0;
    double hand_set_sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (given_[i] < k_given_min) continue;
      learnt_sum += std::max(0.0, fit.weights[i] + fit.weights[count + i]);
      hand_set_sum += static_cast<double>(placement_.sources[i].weight);
    }
    const double unit = hand_set_sum > 0 ? learnt_sum / hand_set_sum : 0;
    BlendOfPlacement blend;
    blend.bias = static_cast<float>(fit.bias);
    for (std::size_t i = 0; i < count; ++i) {
      const SourceWeight& source = placement_.sources[i];
      const bool is_learnt = given_[i] >= k_given_min;
      const double weight = is_learnt ? fit.weights[i] : unit * static_cast<double>(source.weight);
      blend.sources[source.source] = static_cast<float>(weight);
      if (is_learnt) blend.depths[source.source] = static_cast<float>(fit.weights[count + i]);
    }
    for (std::size_t i = 0; i < recommend::k_feature_names.size(); ++i) {
      const auto name = std::string(recommend::k_feature_names[i]);
      blend.features[name] = static_cast<float>(fit.weights[2 * count + i]);
    }
    return blend;
  }

  static void report(const training::Calibration& calibration, const std::string& prefix,
                     std::map<std::string, double>& metrics) {
    metrics[prefix + "log_loss"] = calibration.log_loss;
    metrics[prefix + "log_loss_of_constant"] = calibration.constant_log_loss;
    for (std::size_t bin = 0; bin < calibration.bins.size(); ++bin) {
      const std::string tenth = fmt::format("{}tenth_{:02}.", prefix, bin + 1);
      metrics[tenth + "predicted"] = calibration.bins[bin].predicted;
      metrics[tenth + "observed"] = calibration.bins[bin].observed;
    }
  }

  const Placement& placement_;
  const BlendOptions& options_;
  std::size_t inputs_;
  training::LogisticExamples fitted_;
  training::LogisticExamples kept_apart_;
  std::vector<std::size_t> given_;  // by source: examples it gave a place
  std::size_t questions_ = 0;
  std::size_t taken_ = 0;
  Random random_{1};
};

// The slice's beginning; nothing when there are no times.
absl::StatusOr<std::optional<TimeMs>> moment_of(const training::InteractionSource& source,
                                                TimeMs until, const BlendOptions& options) {
  constexpr TimeMs k_hour_ms = 3'600'000;
  std::map<TimeMs, std::size_t> of_hour;
  TimeMs oldest = std::numeric_limits<TimeMs>::max();
  TimeMs newest = std::numeric_limits<TimeMs>::min();
  VITRINE_RETURN_IF_ERROR(source([&](const Interaction& one) {
    if (one.time_ms > until) return;
    oldest = std::min(oldest, one.time_ms);
    newest = std::max(newest, one.time_ms);
    ++of_hour[one.time_ms / k_hour_ms];
  }));
  if (oldest >= newest) return std::nullopt;
  const auto share =
      static_cast<TimeMs>(options.slice_share_max * static_cast<double>(newest - oldest));
  const TimeMs moment = newest + 1 - std::min(options.slice_ms, share);
  // Of a busy shop a part of the slice says enough.
  std::size_t events = 0;
  for (auto hour = of_hour.rbegin(); hour != of_hour.rend(); ++hour) {
    events += hour->second;
    if (events > options.slice_events_max) return std::max(moment, (hour->first + 1) * k_hour_ms);
  }
  return moment;
}

struct Halves {
  training::Dataset before;
  training::InteractionList texts;  // what the slice refers to
  Slice slice;
};

absl::StatusOr<std::optional<Halves>> divide(const training::InteractionSource& source,
                                             TimeMs moment, TimeMs until,
                                             const training::DatasetOptions& data) {
  training::DatasetOptions before = data;
  before.until = moment;
  training::DatasetBuilder builder(before);
  Halves halves;
  VITRINE_RETURN_IF_ERROR(source([&](const Interaction& one) {
    if (one.time_ms < moment) {
      builder.add(one);
    } else if (one.time_ms <= until) {
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
  constexpr std::uint64_t k_inputs = 2 * recommend::Pool::k_sources_max;
  const std::uint64_t questions = std::min(options.questions_max, halves.slice.size());
  const std::uint64_t examples = 2 * questions * options.refusals_max * k_inputs * sizeof(float);
  return training::training_bytes(training::training_size(halves.before, train.als)) +
         halves.slice.size() * k_slice_event_bytes + examples;
}

absl::Status cancelled_if_asked(const training::TrainObserver& observer) {
  const bool is_asked = observer.cancel != nullptr && observer.cancel->load();
  return is_asked ? absl::CancelledError("training was cancelled") : absl::OkStatus();
}

void tell(const training::TrainObserver& observer, std::string_view stage, std::size_t done,
          std::size_t all) {
  if (observer.on_progress)
    observer.on_progress(stage, static_cast<double>(done + 1) / static_cast<double>(all));
}

// Asks everything that the slice has to ask, and learns from it.
absl::Status learn_from(const Slice& slice, Rehearsal& rehearsal, const BlendOptions& options,
                        const training::TrainObserver& observer, LearntBlends& learnt) {
  const auto book = recommend::PlacementBook::shipped();
  BlendTable::Placements placements;
  Lesson home(*book.find("home"), options);
  const std::vector<Question> questions =
      visits(slice, rehearsal, home.placement().name, options.questions_max);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    VITRINE_RETURN_IF_ERROR(cancelled_if_asked(observer));
    home.add(questions[i], rehearsal);
    tell(observer, "home", i, questions.size());
  }
  home.learn(placements, learnt);

  Lesson cart(*book.find("cart"), options);
  Lesson page(*book.find("product_page"), options);
  const Player player{.on_cart = [&](const Question& question) { cart.add(question, rehearsal); },
                      .on_page = [&](const Question& question) { page.add(question, rehearsal); },
                      .goes_on =
                          [&](std::size_t event) {
                            tell(observer, "cart and product_page", event, slice.size());
                            return cancelled_if_asked(observer).ok();
                          }};
  play(slice, rehearsal, options.questions_max, player);
  VITRINE_RETURN_IF_ERROR(cancelled_if_asked(observer));
  for (Lesson* lesson : {&cart, &page}) lesson->learn(placements, learnt);
  VITRINE_ASSIGN_OR_RETURN(learnt.table, BlendTable::create(std::move(placements)));
  return absl::OkStatus();
}

LearntBlends left_out(std::string reason) {
  LearntBlends learnt;
  learnt.left_out[""] = std::move(reason);
  return learnt;
}

}  // namespace

absl::StatusOr<LearntBlends> learn_blends(const training::InteractionSource& source,
                                          std::span<const Product> catalog,
                                          const training::DatasetOptions& data,
                                          const training::TrainOptions& train,
                                          const training::TrainObserver& observer,
                                          const BlendOptions& options) {
  const TimeMs until = data.until.value_or(std::numeric_limits<TimeMs>::max());
  VITRINE_ASSIGN_OR_RETURN(const std::optional<TimeMs> moment, moment_of(source, until, options));
  if (!moment) return left_out("the interactions have no times");
  VITRINE_ASSIGN_OR_RETURN(std::optional<Halves> halves, divide(source, *moment, until, data));
  if (!halves || halves->slice.empty()) return left_out("nothing to learn from before or after");
  LearntBlends learnt;
  learnt.expected_bytes = bytes_of(*halves, train, options);
  if (options.bytes_max > 0 && learnt.expected_bytes > options.bytes_max) {
    return left_out(fmt::format("it needs about {} MiB, {} MiB may be used",
                                learnt.expected_bytes >> 20U, options.bytes_max >> 20U));
  }

  const FakeClock clock(*moment);
  VITRINE_ASSIGN_OR_RETURN(
      const training::TrainOutcome trained,
      training::train(halves->before, train, {.name = "blend"}, clock, observer, {}, catalog));
  halves->before = {};

  const StringSet people = people_of(halves->slice);
  Rehearsal rehearsal(*moment, [&](std::string_view user) { return people.contains(user); });
  VITRINE_RETURN_IF_ERROR(source([&](const Interaction& one) {
    if (one.time_ms < *moment) rehearsal.take(one);
  }));
  VITRINE_RETURN_IF_ERROR(rehearsal.open({catalog.begin(), catalog.end()}, trained.model,
                                         recommend::PlacementBook::shipped()));
  VITRINE_RETURN_IF_ERROR(learn_from(halves->slice, rehearsal, options, observer, learnt));
  return learnt;
}

}  // namespace vitrine::rehearsal
