#include "server/app/report/evaluation_page.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/app/report/svg_chart.h"
#include "server/app/terminal/style.h"

namespace vitrine::app {
namespace {

constexpr std::string_view k_head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Evaluation</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root{--ink:#1d2430;--dim:#667085;--line:#e3e6ea;--back:#fff;--card:#f8f9fb;
--c0:#1f6feb;--c1:#98a2b3;--c2:#e08a1e;--c3:#2e9e6b;--c4:#a44bd1;--c5:#c4432b}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ee;--dim:#98a2b3;--line:#323946;--back:#14181f;
--card:#1b212b;--c0:#5b9dff}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);
max-width:1240px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}p{color:var(--dim);margin:.2rem 0}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
table{font-size:13px}th,td{padding:.3rem .35rem;text-align:right;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}th{color:var(--dim);font-weight:600}
tr.model td{font-weight:600}small{color:var(--dim);font-weight:400;white-space:nowrap}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(460px,1fr));gap:1rem;margin-top:1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem}
svg{width:100%;height:auto;font:12px system-ui,sans-serif}text{fill:var(--dim)}
text.title{fill:var(--ink);font-size:14px;font-weight:600}text.x{text-anchor:middle}
text.y{text-anchor:end}.grid{stroke:var(--line)}polyline{fill:none;stroke-width:2}
.s0{fill:var(--c0)}.s1{fill:var(--c1)}.s2{fill:var(--c2)}.s3{fill:var(--c3)}.s4{fill:var(--c4)}
.s5{fill:var(--c5)}.l0{stroke:var(--c0)}.l1{stroke:var(--c1)}.l2{stroke:var(--c2)}
.l3{stroke:var(--c3)}.l4{stroke:var(--c4)}.l5{stroke:var(--c5)}
</style></head><body>
)";

std::string cell(const RankingResult& ranking, const std::string& metric) {
  const auto value = ranking.result.metrics.find(metric);
  if (value == ranking.result.metrics.end()) return "<td></td>";
  const auto interval = ranking.intervals.find(metric);
  const bool is_quality = !metric.starts_with("popularity") && !metric.starts_with("novelty");
  if (interval == ranking.intervals.end() || !is_quality)
    return fmt::format("<td>{:.4f}</td>", value->second);
  return fmt::format("<td>{:.4f}<br><small>{:.4f} to {:.4f}</small></td>", value->second,
                     interval->second.low, interval->second.high);
}

std::string gain_cell(const RankingResult& ranking, const std::string& metric) {
  const auto gain = ranking.gains.find(metric);
  if (gain == ranking.gains.end()) return "<td></td>";
  return fmt::format("<td>{:+.4f}<br><small>{:+.4f} to {:+.4f}</small></td>", gain->second.mean,
                     gain->second.low, gain->second.high);
}

std::string table_of(const ReportSection& section, std::size_t cutoff) {
  if (section.rankings.empty()) return "";
  const training::Evaluation& personal = section.rankings.front().result;
  std::string html =
      fmt::format("<h2>{}</h2><p>{} users, {} pairs; 95 % intervals</p><table><tr>",
                  html_text(section.title), grouped(personal.users), grouped(personal.pairs));
  const std::vector<std::string> metrics{"recall", "recall_min", "ndcg",       "hr",
                                         "mrr",    "coverage",   "popularity", "novelty"};
  html += "<th>ranking</th>";
  for (const std::string& metric : metrics) html += fmt::format("<th>{}@{}</th>", metric, cutoff);
  html += section.rankings.size() > 1
              ? fmt::format("<th>ndcg over {}</th>", html_text(section.rankings[1].name))
              : "<th></th>";
  html += "</tr>\n";
  for (std::size_t i = 0; i < section.rankings.size(); ++i) {
    const RankingResult& ranking = section.rankings[i];
    html +=
        fmt::format("<tr{}><td>{}</td>", i == 0 ? " class=\"model\"" : "", html_text(ranking.name));
    for (const std::string& metric : metrics)
      html += cell(ranking, fmt::format("{}@{}", metric, cutoff));
    html += gain_cell(ranking, fmt::format("ndcg@{}", cutoff)) + "</tr>\n";
  }
  return html + "</table>\n";
}

std::string card(const std::string& chart) { return "<div class=\"card\">" + chart + "</div>\n"; }

std::string quality_by_cutoff(const EvaluationReport& report, const ReportSection& section,
                              const std::string& metric) {
  std::vector<std::size_t> cutoffs = report.cutoffs;
  std::sort(cutoffs.begin(), cutoffs.end());
  Chart chart{.title = metric + " by length of the list, " + section.title,
              .x_title = "K",
              .y_title = metric + "@K",
              .labels = {},
              .series = {}};
  for (const std::size_t k : cutoffs) chart.labels.push_back(std::to_string(k));
  for (const RankingResult& ranking : section.rankings) {
    ChartSeries series{ranking.name, {}};
    for (const std::size_t k : cutoffs)
      series.values.push_back(ranking.result.metrics.at(fmt::format("{}@{}", metric, k)));
    chart.series.push_back(std::move(series));
  }
  return card(line_chart(chart));
}

std::string quality_by_activity(const EvaluationReport& report) {
  const std::string metric = fmt::format("ndcg@{}", report.cutoff);
  Chart chart{.title = metric + " by what users did before",
              .x_title = "products of the user in training (users)",
              .y_title = metric,
              .labels = {},
              .series = {}};
  for (const RankingResult& ranking : report.fresh.rankings) {
    ChartSeries series{ranking.name, {}};
    for (const training::ActivityBucket& bucket : ranking.by_activity)
      series.values.push_back(bucket.metrics.at(metric));
    chart.series.push_back(std::move(series));
  }
  for (const training::ActivityBucket& bucket : report.fresh.rankings.front().by_activity) {
    const std::string to = bucket.to == UINT64_MAX ? "+" : fmt::format("-{}", bucket.to);
    chart.labels.push_back(fmt::format("{}{} ({})", bucket.from, to, grouped(bucket.users)));
  }
  return card(bar_chart(chart));
}

std::string training_curve(const EvaluationReport& report) {
  Chart chart{.title = "objective by epoch",
              .x_title = "epoch",
              .y_title = "objective",
              .labels = {},
              .series = {{"personal", {}}},
              .starts_at_zero = false};
  for (const training::EpochReport& epoch : report.epochs) {
    chart.labels.push_back(std::to_string(epoch.epoch));
    chart.series.front().values.push_back(epoch.objective);
  }
  return card(line_chart(chart));
}

}  // namespace

std::string evaluation_page(const EvaluationReport& report) {
  std::string html(k_head);
  html += fmt::format(
      "<h1>Evaluation</h1><p>Split: {}. Model: {}.</p><p>Trained on {} users, {} products, {} "
      "pairs. Not judged: {} products that training does not know, bought {} times.</p>\n",
      html_text(report.split), html_text(report.model), grouped(report.train_users),
      grouped(report.train_products), grouped(report.train_pairs), grouped(report.cold_products),
      grouped(report.cold_product_pairs));
  for (const ReportSection* section : {&report.fresh, &report.repeats, &report.cold})
    html += table_of(*section, report.cutoff);
  html += "<h2>Charts</h2><div class=\"charts\">\n";
  for (const ReportSection* section : {&report.fresh, &report.repeats}) {
    if (section->rankings.empty()) continue;
    html += quality_by_cutoff(report, *section, "recall");
    html += quality_by_cutoff(report, *section, "ndcg");
  }
  if (!report.fresh.rankings.empty()) html += quality_by_activity(report);
  if (!report.epochs.empty()) html += training_curve(report);
  return html + "</div></body></html>\n";
}

}  // namespace vitrine::app
