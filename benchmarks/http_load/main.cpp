// http_load: how fast a server on this machine answers, and how long its slowest clients wait.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "base/status.h"
#include "load.h"

namespace vitrine::http_load {
namespace {

std::string machine() {
  std::ifstream facts("/proc/cpuinfo");
  std::string model = "unknown processor";
  for (std::string line; std::getline(facts, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with("model name") || colon == std::string::npos) continue;
    model = line.substr(colon + 2);
    break;
  }
  return fmt::format("{} x {}", std::thread::hardware_concurrency(), model);
}

std::string commit() {
  std::string text;
  if (std::FILE* pipe = popen("git rev-parse --short HEAD 2>/dev/null", "r"); pipe != nullptr) {
    char bytes[64];
    if (std::fgets(bytes, sizeof bytes, pipe) != nullptr) text = bytes;
    pclose(pipe);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "unknown" : text;
}

// Of sorted latencies, in milliseconds: the smallest that at least `share` of them do not exceed.
double percentile_ms(const std::vector<std::uint32_t>& sorted_us, double share) {
  if (sorted_us.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted_us.size()));
  return sorted_us[std::min(rank, sorted_us.size() - 1)] / 1000.0;
}

void print(const Options& options, const Outcome& outcome) {
  std::vector<std::uint32_t> sorted = outcome.latencies_us;
  std::sort(sorted.begin(), sorted.end());
  const double per_second = static_cast<double>(sorted.size()) / outcome.seconds;
  const std::uint64_t errors = outcome.error_status + outcome.cut_off + outcome.unanswered;
  const std::string loop =
      options.rate > 0 ? fmt::format("open, {:.0f}/s", options.rate) : "closed";
  if (options.as_json) {
    fmt::print(
        "{{\"loop\":\"{}\",\"connections\":{},\"seconds\":{},\"requests\":{},\"per_second\":{:.1f},"
        "\"p50_ms\":{},\"p90_ms\":{},\"p99_ms\":{},\"p99.9_ms\":{},\"max_ms\":{},\"errors\":{},"
        "\"machine\":\"{}\",\"commit\":\"{}\"}}\n",
        loop, options.connections, outcome.seconds, sorted.size(), per_second,
        percentile_ms(sorted, 0.5), percentile_ms(sorted, 0.9), percentile_ms(sorted, 0.99),
        percentile_ms(sorted, 0.999), percentile_ms(sorted, 1), errors, machine(), commit());
    return;
  }
  fmt::print("machine      {}\ncommit       {}\n", machine(), commit());
  fmt::print("target       {} http://{}:{}{}\n", options.method, options.host, options.port,
             options.target);
  fmt::print("loop         {}, {} connections, {} s after {} s of warm-up\n", loop,
             options.connections, options.seconds, options.warmup_seconds);
  fmt::print("answered     {:.0f} req/s ({} in all, {:.1f} MB/s)\n", per_second, sorted.size(),
             static_cast<double>(outcome.bytes_received) / outcome.seconds / 1e6);
  fmt::print("latency ms   p50 {:.3f}  p90 {:.3f}  p99 {:.3f}  p99.9 {:.3f}  max {:.3f}\n",
             percentile_ms(sorted, 0.5), percentile_ms(sorted, 0.9), percentile_ms(sorted, 0.99),
             percentile_ms(sorted, 0.999), percentile_ms(sorted, 1));
  fmt::print(
      "errors       {} ({} not 2xx{}, {} cut off, {} unanswered)\n", errors, outcome.error_status,
      outcome.first_error_status == 0 ? std::string()
                                      : fmt::format(", first {}", outcome.first_error_status),
      outcome.cut_off, outcome.unanswered);
  if (options.rate > 0) fmt::print("backlog max  {}\n", outcome.backlog_max);
}

}  // namespace
}  // namespace vitrine::http_load

int main(int argc, char** argv) {
  const auto options = vitrine::http_load::parse_options(argc, argv);
  if (!options.ok()) {
    fmt::print(stderr, "{}\n", vitrine::message_of(options.status()));
    return 2;
  }
  const auto outcome = vitrine::http_load::run_load(*options);
  if (!outcome.ok()) {
    fmt::print(stderr, "{}\n", vitrine::message_of(outcome.status()));
    return 1;
  }
  vitrine::http_load::print(*options, *outcome);
  const bool clean = outcome->error_status + outcome->cut_off + outcome->unanswered == 0;
  return clean ? 0 : 1;
}
