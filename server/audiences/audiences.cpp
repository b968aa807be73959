#include "server/audiences/audiences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/random.h"
#include "base/status.h"
#include "server/audiences/people_features.h"
#include "server/events/commit_scheduling.h"
#include "server/segments/membership.h"
#include "training/logistic.h"

namespace vitrine::audiences {
namespace {

using live_model::LiveModel;
using profiles::Profile;
using segments::Membership;

// What a weight may cost is chosen on people that are neither learnt from nor held out.
constexpr double k_ridges[] = {10, 100, 1000, 10'000};
constexpr std::size_t k_chosen_on_one_in = 3;
// Of ten people three are held out; which, and who is drawn, is decided by number.
constexpr std::uint64_t k_held_out_of_ten = 3;
constexpr std::uint64_t k_hold_out_salt = 0x5eed;

bool better(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.user < b.user;
}

// The best `count_max` that were offered.
class BestPeople {
 public:
  explicit BestPeople(std::size_t count_max) : count_max_(count_max) {}
  void offer(const Scored& scored) {
    if (people_.size() < count_max_) {
      people_.push_back(scored);
      std::ranges::push_heap(people_, better);
    } else if (better(scored, people_.front())) {
      std::ranges::pop_heap(people_, better);
      people_.back() = scored;
      std::ranges::push_heap(people_, better);
    }
  }
  std::vector<Scored> take() {
    std::ranges::sort(people_, better);
    return std::move(people_);
  }

 private:
  const std::size_t count_max_;
  std::vector<Scored> people_;  // a heap, the worst first
};

bool is_held_out(UserNumber user) {
  return mix64(user.value() ^ k_hold_out_salt) % 10 < k_held_out_of_ten;
}

// Whether somebody is among about `wanted` of `all` people.
bool is_drawn(UserNumber user, std::size_t wanted, std::size_t all) {
  constexpr std::uint64_t k_steps = std::uint64_t{1} << 32;
  if (all <= wanted) return true;
  const double share = static_cast<double>(wanted) / static_cast<double>(all);
  return mix64(user.value()) % k_steps <
         static_cast<std::uint64_t>(share * static_cast<double>(k_steps));
}

void add_example(training::LogisticExamples& examples, std::span<const float> values,
                 bool is_seed) {
  examples.values.insert(examples.values.end(), values.begin(), values.end());
  examples.labels.push_back(is_seed ? 1 : 0);
  examples.weights.push_back(1);
}

training::LogisticExamples together(const training::LogisticExamples& a,
                                    const training::LogisticExamples& b) {
  training::LogisticExamples both = a;
  both.values.insert(both.values.end(), b.values.begin(), b.values.end());
  both.labels.insert(both.labels.end(), b.labels.begin(), b.labels.end());
  both.weights.insert(both.weights.end(), b.weights.begin(), b.weights.end());
  return both;
}

// Equal weight to both sides, so that a score of one half is even odds.
void balance(training::LogisticExamples& examples) {
  double ones = 0;
  for (const std::uint8_t label : examples.labels) ones += label;
  const double zeros = static_cast<double>(examples.size()) - ones;
  const double half = static_cast<double>(examples.size()) / 2;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    examples.weights[i] =
        static_cast<float>(half / std::max(1.0, examples.labels[i] != 0 ? ones : zeros));
  }
}

Auc measured(const training::LogisticModel& model, const training::LogisticExamples& examples) {
  std::vector<float> seeds;
  std::vector<float> others;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    (examples.labels[i] != 0 ? seeds : others)
        .push_back(static_cast<float>(model.probability(examples.row(i))));
  }
  return auc_of(seeds, others);
}

// Every third example apart from the others.
std::pair<training::LogisticExamples, training::LogisticExamples> split(
    const training::LogisticExamples& examples) {
  training::LogisticExamples rest;
  training::LogisticExamples apart;
  rest.inputs = apart.inputs = examples.inputs;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    add_example(i % k_chosen_on_one_in == 0 ? apart : rest, examples.row(i),
                examples.labels[i] != 0);
  }
  balance(rest);
  return {std::move(rest), std::move(apart)};
}

absl::StatusOr<double> best_ridge(const training::LogisticExamples& examples) {
  const auto parts = split(examples);
  double best = k_ridges[0];
  double best_auc = -1;
  for (const double ridge : k_ridges) {
    VITRINE_ASSIGN_OR_RETURN(const training::LogisticModel model,
                             training::fit_logistic(parts.first, ridge));
    const double auc = measured(model, parts.second).value;
    if (auc <= best_auc) continue;
    best = ridge;
    best_auc = auc;
  }
  return best;
}

double deviation_of(const training::LogisticExamples& examples, std::size_t input) {
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const double value = examples.row(i)[input];
    sum += value;
    squares += value * value;
  }
  const auto count = static_cast<double>(examples.size());
  return std::sqrt(std::max(0.0, squares / count - sum / count * (sum / count)));
}

void keep_strongest(std::vector<Driver>& drivers) {
  std::ranges::sort(drivers, [](const Driver& a, const Driver& b) {
    return std::abs(a.weight) != std::abs(b.weight) ? std::abs(a.weight) > std::abs(b.weight)
                                                    : a.name < b.name;
  });
  if (drivers.size() > Audiences::k_drivers_max) drivers.resize(Audiences::k_drivers_max);
}

// Which habits say most, by what one standard deviation of them changes.
std::vector<Driver> habit_drivers(const training::LogisticModel& model,
                                  const training::LogisticExamples& examples,
                                  std::size_t dimension) {
  std::vector<Driver> drivers;
  for (std::size_t i = 0; i < k_habit_names.size(); ++i) {
    const std::size_t input = dimension + i;
    drivers.push_back(
        {std::string(k_habit_names[i]), model.weights[input] * deviation_of(examples, input)});
  }
  keep_strongest(drivers);
  return drivers;
}

double dot(std::span<const double> weights, std::span<const float> vector) {
  double sum = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) sum += weights[i] * vector[i];
  return sum;
}

std::string_view top_category(const Product& product) {
  if (product.categories.empty()) return {};
  const std::string_view path = product.categories.front();
  return path.substr(0, path.find(" > "));
}

// Which categories' buyers score high: the mean of their products, as if they were a taste.
std::vector<Driver> category_drivers(const training::LogisticModel& model, const LiveModel& live,
                                     const catalog::CatalogSnapshot& catalog,
                                     std::size_t dimension) {
  constexpr std::size_t k_products_min = 3;
  std::map<std::string, std::pair<double, std::size_t>, std::less<>> sums;
  for (std::uint32_t row = 0; row < live.row_count(); ++row) {
    const Product* const product = catalog.find(live.number_of(row));
    if (product == nullptr || top_category(*product).empty()) continue;
    auto& [sum, count] = sums[std::string(top_category(*product))];
    sum += dot(std::span(model.weights).first(dimension), live.vector(row));
    ++count;
  }
  double mean = 0;
  for (const auto& [category, sum] : sums) mean += sum.first / static_cast<double>(sum.second);
  if (!sums.empty()) mean /= static_cast<double>(sums.size());
  std::vector<Driver> drivers;
  for (const auto& [category, sum] : sums) {
    if (sum.second < k_products_min) continue;
    drivers.push_back({category, sum.first / static_cast<double>(sum.second) - mean});
  }
  keep_strongest(drivers);
  return drivers;
}

bool is_below(std::string_view path, std::string_view category) {
  return path.starts_with(category) &&
         (path.size() == category.size() || path.substr(category.size()).starts_with(" > "));
}

bool is_in_category(const Product& product, std::string_view category) {
  return std::ranges::any_of(product.categories,
                             [&](const std::string& path) { return is_below(path, category); });
}

}  // namespace

struct Audiences::Job {
  std::atomic<double> progress = 0;
  Run::State state = Run::State::running;  // this and those below: under the lock
  absl::Status failure;
  std::shared_ptr<const Lookalike> result;
  TimeMs begun_ms = 0;
};

Audiences::~Audiences() { stop(); }

void Audiences::stop() {
  is_ending_ = true;
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
}

// Users who may be learnt from and found.
absl::Status Audiences::walk(const Visit& visit) const {
  absl::Status trouble;
  VITRINE_RETURN_IF_ERROR(parts_.profiles.walk([&](UserNumber user, const Profile& profile) {
    if (is_ending_) return false;
    if (!parts_.identities.is_user(user)) return true;
    const auto person = parts_.identities.person(user);
    if (!person.ok()) {
      trouble = person.status();
      return false;
    }
    if (!person->has_value()) return true;
    if ((*person)->refuses_personalization || (*person)->erased_ms != 0) return true;
    visit(user, profile);
    return true;
  }));
  VITRINE_RETURN_IF_ERROR(trouble);
  return is_ending_ ? unavailable("the server is stopping") : absl::OkStatus();
}

absl::StatusOr<Lookalike> Audiences::find_alike(const std::string& segment, Job& job) const {
  const auto members = parts_.engine.members(segment, k_nobody, SIZE_MAX);
  if (!members) return not_found("there is no segment {}", segment);
  Membership seed;
  for (const UserNumber user : *members) seed.set(user, true);

  Lookalike found;
  found.seed_people = seed.size();
  found.made_ms = parts_.clock.now_ms();
  const std::shared_ptr<const LiveModel> live = parts_.live_model.current();
  found.model_version = live->version();
  PeopleFeatures features(live, found.made_ms);
  training::LogisticExamples learnt;
  training::LogisticExamples held_out;
  learnt.inputs = held_out.inputs = features.size();
  std::vector<float> values(features.size());
  const std::size_t people = std::max<std::size_t>(1, parts_.profiles.size());
  const std::size_t others = people - std::min(people, seed.size());
  std::size_t walked = 0;
  const auto step = [&](double from) {
    job.progress =
        from + 0.5 * std::min(1.0, static_cast<double>(++walked) / static_cast<double>(people));
  };
  VITRINE_RETURN_IF_ERROR(walk([&](UserNumber user, const Profile& profile) {
    step(0);
    const bool is_seed = seed.contains(user);
    if (!is_drawn(user, k_examples_max, is_seed ? seed.size() : others)) return;
    features.read(profile, values);
    ++(is_seed ? found.seed_examples : found.other_examples);
    add_example(is_held_out(user) ? held_out : learnt, values, is_seed);
  }));
  if (found.seed_examples < k_seed_min || found.other_examples < k_seed_min) {
    return failed_precondition(
        "segment {} has {} people to learn from and {} beside it, both must be at least {}",
        segment, found.seed_examples, found.other_examples, k_seed_min);
  }
  balance(learnt);
  found.held_out = held_out.size();
  VITRINE_ASSIGN_OR_RETURN(const double ridge, best_ridge(learnt));
  VITRINE_ASSIGN_OR_RETURN(const training::LogisticModel judged,
                           training::fit_logistic(learnt, ridge));
  found.auc = measured(judged, held_out);
  training::LogisticExamples all = together(learnt, held_out);
  balance(all);
  VITRINE_ASSIGN_OR_RETURN(const training::LogisticModel model, training::fit_logistic(all, ridge));
  found.habits = habit_drivers(model, all, features.dimension());
  found.categories =
      category_drivers(model, *live, *parts_.catalog.current(), features.dimension());

  BestPeople best(k_found_max);
  walked = 0;
  VITRINE_RETURN_IF_ERROR(walk([&](UserNumber user, const Profile& profile) {
    step(0.5);
    if (seed.contains(user)) return;
    features.read(profile, values);
    best.offer({user, static_cast<float>(model.probability(values))});
  }));
  found.people = best.take();
  return found;
}

absl::Status Audiences::start_lookalike(const std::string& segment) {
  const auto status = parts_.engine.status(segment);
  if (!status) return not_found("there is no segment {}", segment);
  if (status->size_at_ms == 0) return unavailable("segment {} is being built: ask again", segment);
  std::thread ended;  // joined after the lock is given back
  {
    const std::lock_guard lock(mutex_);
    if (is_ending_) return unavailable("the server is stopping");
    if (is_running_)
      return overloaded("another lookalike is being made: try again in some seconds");
    const auto job = std::make_shared<Job>();
    job->begun_ms = parts_.clock.now_ms();
    if (const auto before = jobs_.find(segment); before != jobs_.end()) {
      job->result = before->second->result;
    }
    jobs_[segment] = job;
    while (jobs_.size() > k_results_max) {
      jobs_.erase(std::ranges::min_element(jobs_, {},
                                           [](const auto& each) { return each.second->begun_ms; }));
    }
    ended.swap(thread_);
    is_running_ = true;
    thread_ = std::thread([this, segment, job] {
      events::stay_in_the_background();
      absl::StatusOr<Lookalike> found = find_alike(segment, *job);
      const std::lock_guard end_lock(mutex_);
      if (found.ok()) job->result = std::make_shared<const Lookalike>(*std::move(found));
      job->failure = found.status();
      job->state = found.ok() ? Run::State::done : Run::State::failed;
      job->progress = 1;
      is_running_ = false;
    });
  }
  if (ended.joinable()) ended.join();
  return absl::OkStatus();
}

std::optional<Audiences::Run> Audiences::lookalike(std::string_view segment) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(segment);
  if (found == jobs_.end()) return std::nullopt;
  const Job& job = *found->second;
  return Run{
      .state = job.state, .progress = job.progress, .failure = job.failure, .result = job.result};
}

absl::StatusOr<std::vector<Scored>> Audiences::nearest(const std::shared_ptr<const LiveModel>& live,
                                                       const std::vector<float>& to,
                                                       const IsBuyer& is_buyer,
                                                       const Wanted& wanted) const {
  const std::unique_lock turn(asking_, std::try_to_lock);
  if (!turn.owns_lock()) {
    return overloaded("everybody is being asked already: try again in some seconds");
  }
  PeopleFeatures features(live, parts_.clock.now_ms());
  std::vector<float> taste(features.dimension());
  BestPeople best(wanted.limit);
  VITRINE_RETURN_IF_ERROR(walk([&](UserNumber user, const Profile& profile) {
    if (!wanted.with_buyers && is_buyer(profile)) return;
    features.read_taste(profile, taste);
    float score = 0;
    for (std::size_t i = 0; i < taste.size(); ++i) score += taste[i] * to[i];
    // Who did nothing that the model knows is not found by chance.
    if (score > 0) best.offer({user, score});
  }));
  return best.take();
}

absl::StatusOr<std::vector<Scored>> Audiences::for_product(std::string_view product_id,
                                                           const Wanted& wanted) const {
  const std::shared_ptr<const LiveModel> live = parts_.live_model.current();
  const std::optional<ProductNumber> number = parts_.catalog.numbers().find(product_id);
  const auto row = number ? live->row_of(*number) : std::nullopt;
  if (!row) {
    return failed_precondition("product_id {} is in no trained model that serves", product_id);
  }
  const std::span<const float> vector = live->vector(*row);
  const auto is_buyer = [&](const Profile& profile) {
    const auto bought =
        std::ranges::lower_bound(profile.bought, *number, {}, &profiles::Bought::product);
    return bought != profile.bought.end() && bought->product == *number && bought->is_kept();
  };
  return nearest(live, {vector.begin(), vector.end()}, is_buyer, wanted);
}

absl::StatusOr<std::vector<Scored>> Audiences::for_category(std::string_view category,
                                                            const Wanted& wanted) const {
  const std::shared_ptr<const LiveModel> live = parts_.live_model.current();
  const std::shared_ptr<const catalog::CatalogSnapshot> catalog = parts_.catalog.current();
  std::vector<float> mean(live->model() != nullptr ? live->model()->factors().dimension() : 0);
  std::size_t products = 0;
  for (std::uint32_t row = 0; row < live->row_count(); ++row) {
    const Product* const product = catalog->find(live->number_of(row));
    if (product == nullptr || !is_in_category(*product, category)) continue;
    const std::span<const float> vector = live->vector(row);
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += vector[i];
    ++products;
  }
  if (products == 0) {
    return failed_precondition("category '{}' has no product that the trained model knows",
                               category);
  }
  for (float& value : mean) value /= static_cast<float>(products);
  const auto is_buyer = [&](const Profile& profile) {
    return std::ranges::any_of(profile.bought, [&](const profiles::Bought& bought) {
      const Product* const product = catalog->find(bought.product);
      return bought.is_kept() && product != nullptr && is_in_category(*product, category);
    });
  };
  return nearest(live, mean, is_buyer, wanted);
}

}  // namespace vitrine::audiences
