#include "server/app/commands/evaluate_sessions.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "server/app/commands/session_rankings.h"
#include "server/app/import/event_rows.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"
#include "training/bootstrap.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_cutoff = 20;

// Both files, in the order of time.
struct SessionData {
  catalog::ProductNumbers numbers;
  std::vector<SessionClick> train;
  std::vector<SessionClick> test;
  std::size_t known = 0;  // products of train have the numbers below

  bool knows(ProductNumber product) const { return product.value() < known; }
};

enum class Replay {
  frozen,   // what was learnt stays as it is
  live,     // each click is learnt when it was foretold
  live_all  // likewise, products that training does not know included: as targets they are misses
};
constexpr std::array k_replays = {Replay::frozen, Replay::live, Replay::live_all};

std::string_view name_of(Replay replay) {
  switch (replay) {
    case Replay::frozen:
      return "frozen";
    case Replay::live:
      return "live";
    case Replay::live_all:
      return "live_all";
  }
  return "";
}

struct Outcome {
  std::size_t predictions = 0;
  training::Interval hit_rate;
  training::Interval reciprocal_rank;
  std::int64_t p50_us = 0;  // to foretell one click
  std::int64_t p99_us = 0;
};

struct RankingOutcome {
  std::string name;
  std::array<Outcome, k_replays.size()> by_replay;
};

absl::Status read_clicks(const std::string& file,
                         absl::flat_hash_map<std::string, std::uint32_t>& sessions,
                         catalog::ProductNumbers& numbers, std::vector<SessionClick>& clicks) {
  VITRINE_ASSIGN_OR_RETURN(RowReader reader, RowReader::open(file));
  Row row;
  while (true) {
    VITRINE_ASSIGN_OR_RETURN(const bool is_row, reader.next(row));
    if (!is_row) break;
    if (!row.refusal.empty()) return invalid_argument("{}:{}: {}", file, row.line, row.refusal);
    VITRINE_ASSIGN_OR_RETURN(const std::optional<TimeMs> time_ms, event_time(row));
    const std::string session(row.text("session_id"));
    std::string_view product = row.text("product_id");
    if (product.empty()) product = row.text("item_id");
    if (session.empty() || product.empty() || !time_ms) {
      return invalid_argument("{}:{}: session_id, product_id and a time are required", file,
                              row.line);
    }
    const auto number =
        sessions.try_emplace(session, static_cast<std::uint32_t>(sessions.size())).first->second;
    clicks.push_back(
        {.session = number, .product = numbers.number_of(product), .time_ms = *time_ms});
  }
  std::ranges::stable_sort(clicks, {}, &SessionClick::time_ms);
  return absl::OkStatus();
}

absl::Status read_data(const std::string& train_file, const std::string& test_file,
                       SessionData& data) {
  absl::flat_hash_map<std::string, std::uint32_t> sessions;
  VITRINE_RETURN_IF_ERROR(read_clicks(train_file, sessions, data.numbers, data.train));
  data.known = data.numbers.size();
  return read_clicks(test_file, sessions, data.numbers, data.test);
}

// Reorders; 0 when there are none.
std::int64_t percentile(std::vector<std::int64_t>& times_us, double share) {
  if (times_us.empty()) return 0;
  const double place = share * static_cast<double>(times_us.size() - 1);
  const auto found = times_us.begin() + static_cast<std::ptrdiff_t>(place);
  std::ranges::nth_element(times_us, found);
  return *found;
}

// Foretells each click of the test from the clicks of its session before it.
Outcome replay_test(const SessionData& data, Replay replay, SessionRanking& ranking) {
  for (const SessionClick& click : data.train) ranking.learn(click);
  absl::flat_hash_map<std::uint32_t, std::vector<ProductNumber>> sessions;
  std::vector<float> hits;
  std::vector<float> reciprocal_ranks;
  std::vector<std::int64_t> times_us;
  for (const SessionClick& click : data.test) {
    if (replay != Replay::live_all && !data.knows(click.product)) continue;
    std::vector<ProductNumber>& clicks = sessions[click.session];
    if (!clicks.empty()) {
      const std::int64_t begun_us = steady_us();
      const std::vector<ProductNumber> next = ranking.next(click.session, clicks, k_cutoff);
      times_us.push_back(steady_us() - begun_us);
      const auto hit = std::ranges::find(next, click.product);
      const bool is_hit = hit != next.end() && data.knows(click.product);
      hits.push_back(is_hit ? 1.0F : 0.0F);
      reciprocal_ranks.push_back(is_hit ? 1.0F / static_cast<float>(hit - next.begin() + 1) : 0);
    }
    clicks.push_back(click.product);
    if (replay != Replay::frozen) ranking.learn(click);
  }
  const std::array<std::span<const float>, 2> series = {hits, reciprocal_ranks};
  const std::vector<training::Interval> means = training::bootstrap_means(series);
  return {.predictions = hits.size(),
          .hit_rate = means[0],
          .reciprocal_rank = means[1],
          .p50_us = percentile(times_us, 0.5),
          .p99_us = percentile(times_us, 0.99)};
}

std::vector<RankingOutcome> judge_all(SessionData& data) {
  const std::array<std::function<std::unique_ptr<SessionRanking>()>, 4> makers = {
      session_popularity, session_covisitation, plain_vmis_knn,
      [&] { return served_next_products(data.numbers); }};
  std::vector<RankingOutcome> outcomes;
  for (const auto& make : makers) {
    RankingOutcome& outcome = outcomes.emplace_back();
    for (std::size_t i = 0; i < k_replays.size(); ++i) {
      const std::unique_ptr<SessionRanking> ranking = make();
      outcome.name = ranking->name();
      outcome.by_replay[i] = replay_test(data, k_replays[i], *ranking);
    }
  }
  return outcomes;
}

std::string text_of(const SessionData& data, const std::vector<RankingOutcome>& outcomes,
                    bool colours) {
  const auto cell = [](const training::Interval& interval) {
    return fmt::format("{:.3f} [{:.3f}, {:.3f}]", interval.mean, interval.low, interval.high);
  };
  std::string text = fmt::format("{} clicks to learn from, {} to foretell; 95 % intervals\n",
                                 grouped(data.train.size()), grouped(data.test.size()));
  for (std::size_t i = 0; i < k_replays.size(); ++i) {
    Table table({{"ranking"},
                 {fmt::format("hit rate@{}", k_cutoff), Table::Align::right},
                 {fmt::format("MRR@{}", k_cutoff), Table::Align::right},
                 {"p99 us", Table::Align::right}});
    for (const RankingOutcome& outcome : outcomes) {
      table.add_row({outcome.name, cell(outcome.by_replay[i].hit_rate),
                     cell(outcome.by_replay[i].reciprocal_rank),
                     fmt::format("{}", outcome.by_replay[i].p99_us)});
    }
    text += fmt::format("\n{}: {} predictions\n{}", name_of(k_replays[i]),
                        grouped(outcomes.front().by_replay[i].predictions), table.text(colours));
  }
  return text;
}

std::string json_of(const std::vector<RankingOutcome>& outcomes) {
  std::string line;
  http::JsonWriter writer(line);
  const auto write = [&](const char* name, const training::Interval& interval) {
    writer.key(name)
        .begin_object()
        .field("mean", interval.mean)
        .field("low", interval.low)
        .field("high", interval.high)
        .end_object();
  };
  writer.begin_object().field("cutoff", k_cutoff).key("rankings").begin_object();
  for (const RankingOutcome& outcome : outcomes) {
    writer.key(outcome.name).begin_object();
    for (std::size_t i = 0; i < k_replays.size(); ++i) {
      const Outcome& one = outcome.by_replay[i];
      writer.key(name_of(k_replays[i])).begin_object().field("predictions", one.predictions);
      write("hr", one.hit_rate);
      write("mrr", one.reciprocal_rank);
      writer.field("p50_us", one.p50_us).field("p99_us", one.p99_us);
      writer.end_object();
    }
    writer.end_object();
  }
  writer.end_object().end_object();
  return line;
}

}  // namespace

absl::Status evaluate_sessions(const std::string& train_file, const std::string& test_file,
                               const Invocation& invocation) {
  SessionData data;
  VITRINE_RETURN_IF_ERROR(read_data(train_file, test_file, data));
  const std::vector<RankingOutcome> outcomes = judge_all(data);
  if (outcomes.front().by_replay.back().predictions == 0) {
    return invalid_argument("{} has no session of two clicks: nothing to foretell", test_file);
  }
  if (invocation.json) {
    print_line(json_of(outcomes));
  } else {
    print(text_of(data, outcomes, has_colours(stdout)));
  }
  return absl::OkStatus();
}

}  // namespace vitrine::app
