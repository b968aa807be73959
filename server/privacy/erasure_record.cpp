#include "server/privacy/erasure_record.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/status.h"

namespace vitrine::privacy {
namespace {

namespace json = boost::json;

json::array numbers_json(const std::vector<UserNumber>& numbers) {
  json::array out;
  for (const UserNumber number : numbers) out.emplace_back(number.value());
  return out;
}

json::array texts_json(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

std::vector<UserNumber> numbers_in(const json::value& value) {
  std::vector<UserNumber> out;
  for (const json::value& number : value.as_array()) {
    out.emplace_back(number.to_number<std::uint32_t>());
  }
  return out;
}

std::vector<std::string> texts_in(const json::value& value) {
  std::vector<std::string> out;
  for (const json::value& text : value.as_array()) out.emplace_back(text.as_string());
  return out;
}

ErasureRecord record_of(const json::value& in) {
  ErasureRecord record;
  record.requested_ms = in.at("requested_ms").to_number<TimeMs>();
  record.completed_ms = in.at("completed_ms").to_number<TimeMs>();
  record.keys = texts_in(in.at("keys"));
  if (const json::value* const anonymous = in.as_object().if_contains("anonymous")) {
    record.anonymous = texts_in(*anonymous);
  }
  record.subject = {.user_ids = texts_in(in.at("user_ids")),
                    .visitor_ids = texts_in(in.at("visitor_ids")),
                    .people = numbers_in(in.at("people")),
                    .histories = numbers_in(in.at("histories"))};
  for (const json::value& owner : in.at("owners").as_array()) {
    record.owners.push_back(
        {.owner = std::string(owner.at("owner").as_string()),
         .erased = {.dropped = owner.at("dropped").to_number<std::uint64_t>(),
                    .kept_without_person = owner.at("kept").to_number<std::uint64_t>()},
         .done_ms = owner.at("done_ms").to_number<TimeMs>()});
  }
  return record;
}

}  // namespace

bool ErasureRecord::is_done_by(std::string_view owner) const {
  return std::ranges::find(owners, owner, &OwnerReceipt::owner) != owners.end();
}

std::string encode(const ErasureRecord& record) {
  json::array owners;
  for (const OwnerReceipt& owner : record.owners) {
    owners.push_back({{"owner", owner.owner},
                      {"dropped", owner.erased.dropped},
                      {"kept", owner.erased.kept_without_person},
                      {"done_ms", owner.done_ms}});
  }
  return json::serialize(json::object{{"requested_ms", record.requested_ms},
                                      {"completed_ms", record.completed_ms},
                                      {"keys", texts_json(record.keys)},
                                      {"anonymous", texts_json(record.anonymous)},
                                      {"user_ids", texts_json(record.subject.user_ids)},
                                      {"visitor_ids", texts_json(record.subject.visitor_ids)},
                                      {"people", numbers_json(record.subject.people)},
                                      {"histories", numbers_json(record.subject.histories)},
                                      {"owners", std::move(owners)}});
}

absl::StatusOr<ErasureRecord> decode_erasure(std::string_view erasure_id, std::string_view bytes) {
  try {
    ErasureRecord record = record_of(json::parse(bytes));
    record.erasure_id = erasure_id;
    return record;
  } catch (const std::exception& fault) {
    return data_loss("the record of erasure {} cannot be read: {}", erasure_id, fault.what());
  }
}

}  // namespace vitrine::privacy
