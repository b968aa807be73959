#include "server/coupons/grant_job.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/status.h"
#include "server/coupons/stored_value.h"

namespace vitrine::coupons {
namespace {

namespace json = boost::json;

// Of a member that older records do not have.
std::string text_or_none(const json::value& value, std::string_view name) {
  const json::value* const found = value.as_object().if_contains({name.data(), name.size()});
  return found == nullptr ? "" : text(*found);
}

absl::StatusOr<GrantJob> job_in(const json::value& value) {
  GrantJob job{.number = number(value.at("number")),
               .offer = text(value.at("offer")),
               .round = text(value.at("round")),
               .segment = text(value.at("segment")),
               .allocation = text_or_none(value, "allocation"),
               .policy = text_or_none(value, "policy"),
               .people = number(value.at("people")),
               .looked_at = number(value.at("looked_at")),
               .granted = number(value.at("granted")),
               .had_it = number(value.at("had_it")),
               .gone = number(value.at("gone")),
               .after = UserNumber(value.at("after").to_number<std::uint32_t>()),
               .created_ms = value.at("created").as_int64(),
               .changed_ms = value.at("changed").as_int64()};
  const std::string state = text(value.at("state"));
  const auto* const known =
      std::ranges::find_if(k_job_states, [&](JobState one) { return name_of(one) == state; });
  if (known == std::end(k_job_states)) return data_loss("a job has the state {}", state);
  job.state = *known;
  const json::value& stopped_by = value.at("stopped_by");
  if (stopped_by != -1) job.stopped_by = choice(stopped_by, Reason::unknown_code);
  const json::array& denied = value.at("denied").as_array();
  for (std::size_t i = 0; i < denied.size() && i < k_reasons; ++i) {
    job.denied.at(i) = number(denied[i]);
  }
  const json::array& withheld = value.at("withheld").as_array();
  for (std::size_t i = 0; i < withheld.size() && i < k_withheld; ++i) {
    job.withheld.at(i) = number(withheld[i]);
  }
  return job;
}

}  // namespace

std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::running:
      return "running";
    case JobState::paused:
      return "paused";
    case JobState::stopped:
      return "stopped";
    case JobState::done:
      return "done";
    case JobState::cancelled:
      return "cancelled";
  }
  return "";
}

std::string encode(const GrantJob& job) {
  json::array denied;
  for (const std::uint64_t count : job.denied) denied.emplace_back(count);
  json::array withheld;
  for (const std::uint64_t count : job.withheld) withheld.emplace_back(count);
  return json::serialize(
      json::object{{"number", job.number},
                   {"offer", job.offer},
                   {"round", job.round},
                   {"segment", job.segment},
                   {"allocation", job.allocation},
                   {"policy", job.policy},
                   {"state", std::string(name_of(job.state))},
                   {"stopped_by", job.stopped_by ? static_cast<std::int64_t>(*job.stopped_by) : -1},
                   {"people", job.people},
                   {"looked_at", job.looked_at},
                   {"granted", job.granted},
                   {"had_it", job.had_it},
                   {"gone", job.gone},
                   {"withheld", std::move(withheld)},
                   {"denied", std::move(denied)},
                   {"after", job.after.value()},
                   {"created", job.created_ms},
                   {"changed", job.changed_ms}});
}

absl::StatusOr<GrantJob> decode_grant_job(std::string_view bytes) {
  json::error_code error;
  const json::value parsed = json::parse({bytes.data(), bytes.size()}, error);
  if (error) return data_loss("a stored job cannot be read");
  try {
    return job_in(parsed);
  } catch (const std::exception& fault) {
    return data_loss("a stored job cannot be read: {}", fault.what());
  }
}

}  // namespace vitrine::coupons
