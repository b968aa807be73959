// log_scan FOLDER: how fast training reads the event log of a data folder that no server holds.
#include <fmt/core.h>

#include <filesystem>

#include "base/status.h"
#include "benchmarks/support/about.h"
#include "server/events/event_log.h"

namespace vitrine {
namespace {

absl::Status scan(const std::filesystem::path& folder) {
  VITRINE_ASSIGN_OR_RETURN(const auto database, store::Database::open(folder / "store", {}));
  const std::unique_ptr<events::EventLog> log = events::make_local_event_log(*database);
  const std::int64_t begun_us = steady_us();
  std::uint64_t entries = 0;
  std::uint64_t named = 0;  // so that every entry is looked into
  VITRINE_RETURN_IF_ERROR(log->read(0, [&](LogEntry&& entry) {
    ++entries;
    const auto* const event = std::get_if<Event>(&entry.what);
    if (event != nullptr && !event->product_id.empty()) ++named;
    return true;
  }));
  const double seconds = static_cast<double>(steady_us() - begun_us) * 1e-6;
  fmt::print(
      "{{\"entries\":{},\"of_products\":{},\"seconds\":{:.3f},\"per_second\":{:.0f},"
      "\"machine\":\"{}\",\"commit\":\"{}\"}}\n",
      entries, named, seconds, static_cast<double>(entries) / seconds, machine(), commit());
  return absl::OkStatus();
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "log_scan FOLDER\n");
    return 2;
  }
  const absl::Status status = vitrine::scan(argv[1]);
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", vitrine::message_of(status));
  return 1;
}
