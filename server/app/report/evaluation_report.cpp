#include "server/app/report/evaluation_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

using training::Interval;

constexpr std::array<const char*, 7> k_user_metrics{"recall", "recall_min", "ndcg",   "hr",
                                                    "mrr",    "popularity", "novelty"};

std::string number(const RankingResult& ranking, const std::string& metric) {
  const auto found = ranking.result.metrics.find(metric);
  return found == ranking.result.metrics.end() ? "" : fmt::format("{:.4f}", found->second);
}

std::string bounds(const std::map<std::string, Interval>& intervals, const std::string& metric) {
  const auto found = intervals.find(metric);
  if (found == intervals.end()) return "";
  return fmt::format("{:.4f}-{:.4f}", found->second.low, found->second.high);
}

std::string signed_bounds(const std::map<std::string, Interval>& intervals,
                          const std::string& metric) {
  const auto found = intervals.find(metric);
  if (found == intervals.end()) return "";
  const Interval& gain = found->second;
  return fmt::format("{:+.4f} [{:+.4f}, {:+.4f}]", gain.mean, gain.low, gain.high);
}

std::string section_text(const ReportSection& section, std::size_t cutoff, bool colours) {
  if (section.rankings.empty()) return "";
  const training::Evaluation& personal = section.rankings.front().result;
  std::string text = "\n";
  text += styled(fmt::format("{}: {} users, {} pairs", section.title, grouped(personal.users),
                             grouped(personal.pairs)),
                 Colour::cyan, colours);
  text += "\n";
  const auto at = [cutoff](std::string_view name) { return fmt::format("{}@{}", name, cutoff); };
  Table table({{"ranking"},
               {at("recall"), Table::Align::right},
               {"95 % interval"},
               {at("ndcg"), Table::Align::right},
               {"95 % interval"},
               {at("hr"), Table::Align::right},
               {at("mrr"), Table::Align::right},
               {"coverage", Table::Align::right},
               {"novelty", Table::Align::right}});
  for (const RankingResult& ranking : section.rankings) {
    const auto novelty = ranking.result.metrics.find(at("novelty"));
    table.add_row(
        {ranking.name, number(ranking, at("recall")), bounds(ranking.intervals, at("recall")),
         number(ranking, at("ndcg")), bounds(ranking.intervals, at("ndcg")),
         number(ranking, at("hr")), number(ranking, at("mrr")), number(ranking, at("coverage")),
         novelty == ranking.result.metrics.end() ? ""
                                                 : fmt::format("{:.2f} bit", novelty->second)});
  }
  text += table.text(colours);
  const RankingResult& model = section.rankings.front();
  if (!model.gains.empty() && section.rankings.size() > 1) {
    text += fmt::format("personal - {}, user by user: recall {}, ndcg {}\n",
                        section.rankings[1].name, signed_bounds(model.gains, at("recall")),
                        signed_bounds(model.gains, at("ndcg")));
  }
  return text;
}

void write_interval(http::JsonWriter& writer, const Interval& interval) {
  writer.begin_object()
      .field("mean", interval.mean)
      .field("low", interval.low)
      .field("high", interval.high)
      .end_object();
}

void write_ranking(http::JsonWriter& writer, const RankingResult& ranking) {
  for (const auto& [name, value] : ranking.result.metrics) writer.field(name, value);
  const auto write_all = [&](std::string_view key, const std::map<std::string, Interval>& all) {
    if (all.empty()) return;
    writer.key(key).begin_object();
    for (const auto& [name, interval] : all) write_interval(writer.key(name), interval);
    writer.end_object();
  };
  write_all("intervals", ranking.intervals);
  write_all("gain_over_first_baseline", ranking.gains);
  if (ranking.by_activity.empty()) return;
  writer.key("by_activity").begin_array();
  for (const training::ActivityBucket& bucket : ranking.by_activity) {
    writer.begin_object().field("products_from", bucket.from);
    if (bucket.to != UINT64_MAX) writer.field("products_to", bucket.to);
    writer.field("users", bucket.users);
    for (const auto& [name, value] : bucket.metrics) writer.field(name, value);
    writer.end_object();
  }
  writer.end_array();
}

// The members of a section's object; its braces are the caller's.
void write_section(http::JsonWriter& writer, const ReportSection& section) {
  if (section.rankings.empty()) {
    writer.field("users", 0).field("pairs", 0);
    return;
  }
  const RankingResult& personal = section.rankings.front();
  writer.field("users", personal.result.users).field("pairs", personal.result.pairs);
  write_ranking(writer, personal);
  writer.key("baselines").begin_object();
  for (std::size_t i = 1; i < section.rankings.size(); ++i) {
    writer.key(section.rankings[i].name).begin_object();
    write_ranking(writer, section.rankings[i]);
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace

EvaluationReport begin_report(const training::Split& split,
                              const std::vector<std::size_t>& cutoffs) {
  EvaluationReport report;
  report.cutoffs = cutoffs;
  const bool has_20 = std::ranges::find(cutoffs, 20U) != cutoffs.end();
  report.cutoff = has_20 ? 20 : cutoffs.front();
  report.train_users = split.train.users.size();
  report.train_products = split.train.products.size();
  report.train_pairs = split.train.pair_count();
  report.cold_users = split.cold_users;
  report.cold_products = split.cold_products;
  report.cold_product_pairs = split.cold_product_pairs;
  return report;
}

void add_intervals(ReportSection& section, std::size_t cutoff) {
  if (section.rankings.empty()) return;
  std::vector<std::string> names;
  names.reserve(std::size(k_user_metrics));
  for (const char* name : k_user_metrics) names.push_back(fmt::format("{}@{}", name, cutoff));
  const RankingResult* const baseline =
      section.rankings.size() > 1 ? &section.rankings[1] : nullptr;
  for (RankingResult& ranking : section.rankings) {
    std::vector<std::vector<float>> gains;
    std::vector<std::span<const float>> series;
    series.reserve(2 * names.size());
    for (const std::string& name : names) series.emplace_back(ranking.result.by_user.at(name));
    const bool is_compared = baseline != nullptr && baseline != &ranking;
    for (std::size_t i = 0; is_compared && i < names.size(); ++i) {
      gains.push_back(training::differences(ranking.result.by_user.at(names[i]),
                                            baseline->result.by_user.at(names[i])));
    }
    for (const std::vector<float>& gain : gains) series.emplace_back(gain);
    const std::vector<Interval> intervals = training::bootstrap_means(series);
    for (std::size_t i = 0; i < names.size(); ++i) {
      ranking.intervals[names[i]] = intervals[i];
      if (is_compared) ranking.gains[names[i]] = intervals[names.size() + i];
    }
  }
}

std::string text_of(const EvaluationReport& report, bool colours) {
  std::string text = fmt::format(
      "split: {}\nmodel: {}\ntrained on {} users, {} products, {} pairs\nnot in the tables below: "
      "{} products that training does not know, bought {} times\n",
      report.split, report.model, grouped(report.train_users), grouped(report.train_products),
      grouped(report.train_pairs), grouped(report.cold_products),
      grouped(report.cold_product_pairs));
  for (const ReportSection* section : {&report.fresh, &report.repeats, &report.cold})
    text += section_text(*section, report.cutoff, colours);
  if (report.cutoffs.size() > 1)
    text += "\nother cutoffs and users by activity: --json, or --report FILE.html\n";
  return text;
}

std::string json_of(const EvaluationReport& report) {
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object();
  write_section(writer, report.fresh);
  writer.key("repeats").begin_object();
  write_section(writer, report.repeats);
  writer.end_object().key("cold_start").begin_object();
  write_section(writer, report.cold);
  writer.end_object()
      .field("split", report.split)
      .field("model", report.model)
      .field("train_users", report.train_users)
      .field("train_products", report.train_products)
      .field("train_pairs", report.train_pairs)
      .field("cold_users", report.cold_users)
      .field("cold_products", report.cold_products)
      .field("cold_product_pairs", report.cold_product_pairs)
      .key("objective")
      .begin_array();
  for (const training::EpochReport& epoch : report.epochs) writer.value(epoch.objective);
  writer.end_array().end_object();
  return line;
}

}  // namespace vitrine::app
