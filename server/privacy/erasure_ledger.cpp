#include "server/privacy/erasure_ledger.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/status.h"
#include "server/identity/person_record.h"
#include "server/store/key.h"

namespace vitrine::privacy {
namespace {

using store::Family;
namespace json = boost::json;

json::array array_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const json::value* const found = object.if_contains(name);
  if (found == nullptr || !found->is_array()) return texts;
  for (const json::value& text : found->get_array()) {
    if (text.is_string()) texts.emplace_back(text.get_string());
  }
  return texts;
}

std::optional<LedgerLine> line_in(std::string_view text) {
  json::error_code error;
  const json::value entry = json::parse(text, error);
  const json::object* const object = error ? nullptr : entry.if_object();
  const json::value* const id = object == nullptr ? nullptr : object->if_contains("erasure_id");
  if (id == nullptr || !id->is_string() || !object->contains("keys")) return std::nullopt;
  return LedgerLine{.erasure_id = std::string(id->get_string()),
                    .keys = texts_in(*object, "keys"),
                    .anonymous = texts_in(*object, "anonymous")};
}

}  // namespace

std::string ledger_line(const ErasureRecord& record) {
  return json::serialize(json::object{{"erasure_id", record.erasure_id},
                                      {"requested_at", format_time(record.requested_ms)},
                                      {"keys", array_of(record.keys)},
                                      {"anonymous", array_of(record.anonymous)}}) +
         "\n";
}

absl::StatusOr<std::string> read_ledger(const std::filesystem::path& ledger) {
  std::error_code error;
  if (!std::filesystem::exists(ledger, error)) return std::string();
  return read_file(ledger);
}

absl::StatusOr<std::vector<LedgerLine>> read_lines(const std::filesystem::path& ledger) {
  VITRINE_ASSIGN_OR_RETURN(std::string text, read_ledger(ledger));
  std::vector<LedgerLine> lines;
  std::istringstream in(std::move(text));
  for (std::string line; std::getline(in, line);) {
    std::optional<LedgerLine> read = line_in(line);
    if (!read) return data_loss("{} has a line that cannot be read", ledger.string());
    lines.push_back(*std::move(read));
  }
  return lines;
}

absl::Status refuse_unknown(store::Database& database, const std::filesystem::path& ledger,
                            TimeMs now_ms) {
  VITRINE_ASSIGN_OR_RETURN(const std::vector<LedgerLine> lines, read_lines(ledger));
  std::vector<std::string> unknown;
  for (const LedgerLine& line : lines) {
    for (const std::string& hex : line.keys) {
      std::string key = absl::HexStringToBytes(hex);
      if (key.size() != store::k_hashed_key_bytes) continue;
      VITRINE_ASSIGN_OR_RETURN(const auto known, database.get(Family::ids, key));
      if (!known) unknown.push_back(std::move(key));
    }
  }
  if (unknown.empty()) return absl::OkStatus();
  // One number that nothing was ever kept of stands for all of them.
  const std::optional<std::string> last = database.last_key(Family::people);
  const UserNumber number(last ? store::small_number_in(*last).value_or(0) + 1 : 1);
  const std::string record = identity::encode(
      identity::Person{.linked_user = number, .erased_ms = std::max<TimeMs>(1, now_ms)});
  store::WriteSet changes;
  changes.put(Family::people, store::key_of(number.value()), record);
  for (const std::string& key : unknown) {
    changes.put(Family::ids, key, store::key_of(number.value()));
  }
  return database.write(std::move(changes));
}

}  // namespace vitrine::privacy
