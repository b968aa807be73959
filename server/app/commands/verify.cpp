// vitrine verify: is a data folder sound, and is all that follows the log what the log says?
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/status.h"
#include "server/app/commands/command.h"
#include "server/app/services.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/coupons/ledger.h"
#include "server/coupons/open_holds.h"
#include "server/events/retention.h"
#include "server/http/json_writer.h"
#include "server/privacy/inventory.h"
#include "server/store/key.h"

namespace vitrine::app {
namespace {

enum class Outcome { sound, wrong, not_checked };

struct Check {
  std::string name;
  Outcome outcome;
  std::string detail;
};
using Checks = std::vector<Check>;

Check check_of(std::string name, const absl::Status& status, std::string when_sound) {
  if (status.ok()) return {std::move(name), Outcome::sound, std::move(when_sound)};
  return {std::move(name), Outcome::wrong, std::string(message_of(status))};
}

// Every position is there and readable, and every event is found by its key, but for what is past
// its time.
// Returns how many entries were erased with their people.
std::uint64_t check_log(const store::Database& database, const events::RetentionState& retention,
                        Progress& progress, Checks& checks) {
  const auto log = events::make_local_event_log(database);
  const Position last = log->last_position();
  Position entries = 0;
  std::uint64_t events = 0;
  std::uint64_t lost_keys = 0;
  std::uint64_t erased = 0;
  const absl::Status read = log->read(0, [&](LogEntry&& entry) {
    ++entries;
    const Event* event = entry.event();
    if (entry.erasure() != nullptr) ++erased;
    const bool has_passed =
        entry.position <= retention.keys_until && events::has_passing_key(entry);
    if (event != nullptr && !has_passed) {
      ++events;
      const auto position = database.get(
          store::Family::dedupe,
          store::hashed_key(database.secret(), "event", entry.source, event->event_id));
      if (!position.ok() || *position != store::key_of(entry.position)) ++lost_keys;
    }
    if (entry.position % 8192 == 0) {
      progress.update(static_cast<double>(entry.position) / static_cast<double>(last),
                      grouped(entry.position) + " entries");
    }
    return true;
  });
  checks.push_back(
      check_of("log", read,
               retention.entries_removed == 0
                   ? grouped(entries) + " entries, no gap"
                   : fmt::format("{} entries, no gap; {} are past their time and empty",
                                 grouped(entries), grouped(retention.entries_removed))));
  checks.push_back(check_of(
      "event keys",
      lost_keys == 0 ? absl::OkStatus()
                     : data_loss("{} of {} events are not found by their key", lost_keys, events),
      grouped(events) + " lead to their events"));
  return erased;
}

// What coupons may give away: every balance is the sum of its movements, and what is held is what
// open reservations and grants hold.
Check check_ledger(const store::Database& database) {
  const auto reconciled = coupons::Ledger::reconcile(database);
  if (!reconciled.ok()) return check_of("coupons", reconciled.status(), "");
  const auto open = coupons::check_open_holds(database);
  if (!open.ok()) return check_of("coupons", open.status(), "");
  return check_of("coupons", absl::OkStatus(),
                  fmt::format("{} movements come to the balances of {} accounts, {} reservations "
                              "and {} grants to what is held",
                              grouped(reconciled->movements), grouped(reconciled->accounts),
                              grouped(open->reservations), grouped(open->grants)));
}

// A folder that goes when its owner goes.
class ScratchFolder {
 public:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) { remove(); }
  ~ScratchFolder() { remove(); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  void remove() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path path_;
};

// A copy without checkpoints, but for the numbers that give products the same names on both sides.
absl::Status copy_without_checkpoints(const Services& services, const Config& copy) {
  std::error_code error;
  std::filesystem::create_directories(copy.data, error);
  if (error) return unavailable("cannot make {}: {}", copy.data, error.message());
  const DataLayout layout(copy.data);
  VITRINE_RETURN_IF_ERROR(services.database().back_up(layout.store));
  VITRINE_ASSIGN_OR_RETURN(const auto database, store::Database::open(layout.store, copy.store));
  store::WriteSet changes;
  for (const events::Projection* projection : services.projections()) {
    if (projection->name() == "product_numbers") continue;
    changes.erase(store::Family::checkpoints, projection->name());
    const std::string space = events::checkpoint_key(projection->name(), {});
    std::string end(projection->name());
    end.append(1, '\1');
    changes.erase_range(store::Family::checkpoints, space, end);
  }
  return database->write(std::move(changes));
}

// What everybody did together stays when somebody is erased, and what they did is gone.
bool rests_on_erased(std::string_view projection) {
  return projection == "popularity" || projection == profiles::SessionBook::k_name;
}

// Applies the whole log anew and compares where each projection ends.
absl::Status check_projections(const Services& services, const Config& config, bool has_erased,
                               const Services::Progress& progress, Checks& checks) {
  const ScratchFolder scratch(std::filesystem::path(config.data) / "verify.work");
  Config copy = config;
  copy.data = scratch.path();
  // A folder whose server refuses writes can be verified too: the copy is made of links.
  copy.store.min_free_bytes =
      std::min(copy.store.min_free_bytes, store::Database::k_room_to_open_bytes);
  VITRINE_RETURN_IF_ERROR(copy_without_checkpoints(services, copy));
  const SystemClock clock;
  Metrics metrics;
  const auto log = Log::silent();
  VITRINE_ASSIGN_OR_RETURN(const auto recount,
                           Services::open_for_reading(copy, clock, metrics, *log, progress));
  for (std::size_t i = 0; i < services.projections().size(); ++i) {
    const events::Projection& here = *services.projections()[i];
    const events::Projection& there = *recount->projections()[i];
    if (has_erased && rests_on_erased(here.name())) {
      checks.push_back({std::string(here.name()), Outcome::not_checked,
                        "it rests on entries of people who were erased"});
      continue;
    }
    const bool is_same =
        here.position() == there.position() && here.fingerprint() == there.fingerprint();
    checks.push_back({std::string(here.name()), is_same ? Outcome::sound : Outcome::wrong,
                      is_same ? "as the log says, at position " + grouped(here.position())
                              : "not what the log says"});
  }
  return absl::OkStatus();
}

absl::StatusOr<Checks> check_beside_server(const Invocation& invocation, Progress& progress) {
  Checks checks;
  VITRINE_ASSIGN_OR_RETURN(const auto database,
                           store::Database::open_beside(DataLayout(invocation.config.data).store));
  VITRINE_ASSIGN_OR_RETURN(const events::RetentionState retention,
                           events::read_retention_state(*database));
  check_log(*database, retention, progress, checks);
  checks.push_back(check_ledger(*database));
  for (const char* what : {"checksums", "projections"}) {
    checks.push_back({what, Outcome::not_checked, "a process holds the folder: stop it first"});
  }
  return checks;
}

absl::StatusOr<Checks> check(const Invocation& invocation) {
  Progress progress("reading the log", invocation.json || !is_terminal(stderr));
  const SystemClock clock;
  Metrics metrics;
  const auto log = Log::silent();
  const auto told = [&](Position done, Position last) {
    progress.update(static_cast<double>(done) / static_cast<double>(last),
                    grouped(done) + " entries applied");
  };
  auto services = Services::open_for_reading(invocation.config, clock, metrics, *log, told);
  if (absl::IsFailedPrecondition(services.status())) {
    return check_beside_server(invocation, progress);
  }
  VITRINE_RETURN_IF_ERROR(services.status());
  Checks checks;
  checks.push_back(check_of("checksums", (*services)->database().verify_checksums(),
                            bytes_text((*services)->database().bytes_on_disk()) + " on disk"));
  checks.push_back(check_of("owners", privacy::check_meta_keys((*services)->database()),
                            "everything that may be about a person has one"));
  VITRINE_ASSIGN_OR_RETURN(const events::RetentionState retention,
                           events::read_retention_state((*services)->database()));
  const bool has_erased = check_log((*services)->database(), retention, progress, checks) > 0;
  checks.push_back(check_ledger((*services)->database()));
  if (retention.entries_removed == 0) {
    VITRINE_RETURN_IF_ERROR(
        check_projections(**services, invocation.config, has_erased, told, checks));
    return checks;
  }
  checks.push_back({"projections", Outcome::not_checked,
                    "they rest on entries that are past their time, and cannot be recounted"});
  return checks;
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::sound:
      return "sound";
    case Outcome::wrong:
      return "wrong";
    case Outcome::not_checked:
      return "not checked";
  }
  return {};
}

void print_json(const Checks& checks, bool is_sound) {
  std::string line;
  http::JsonWriter writer(line);
  writer.begin_object().key("sound").value(is_sound).key("checks").begin_array();
  for (const Check& check : checks) {
    writer.begin_object()
        .field("name", check.name)
        .field("outcome", name_of(check.outcome))
        .field("detail", check.detail)
        .end_object();
  }
  writer.end_array().end_object();
  print_line(line);
}

absl::Status run(const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const Checks checks, check(invocation));
  std::size_t wrong = 0;
  for (const Check& check : checks) wrong += check.outcome == Outcome::wrong ? 1 : 0;
  if (invocation.json) {
    print_json(checks, wrong == 0);
  } else {
    Table table({{"what"}, {"is"}, {"detail"}});
    for (const Check& check : checks) {
      table.add_row({check.name, std::string(name_of(check.outcome)), check.detail});
    }
    print(table.text(has_colours(stdout)));
  }
  if (wrong == 0) return absl::OkStatus();
  return data_loss("{} of {} checks of {} failed: restore a backup", wrong, checks.size(),
                   invocation.config.data);
}

}  // namespace

void add_verify(CLI::App& root, Invocation& invocation) {
  CLI::App& app =
      add_command(root, invocation, "verify",
                  "Whether a data folder is undamaged and everything in it is what its log says",
                  "  vitrine verify --data shop\n"
                  "  vitrine verify --data shop --json\n");
  add_data_option(app, invocation);
  app.callback([&invocation] { invocation.run = [&invocation] { return run(invocation); }; });
}

}  // namespace vitrine::app
