// Campaigns and limits in their JSON form: what the API takes and gives, and what is stored.
//
// Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/coupons/campaign.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"

namespace vitrine::http {

// The whole campaign `id`; absent fields have the values of a new one. What the server says of
// itself is let pass, so that what was read can be written back. InvalidArgument names the field.
absl::StatusOr<coupons::Campaign> campaign_from_json(std::string_view text, std::string_view id,
                                                     std::size_t max_depth);
// `state` is the one at `now_ms`.
void append_campaign(JsonWriter& json, const coupons::Campaign& campaign, TimeMs now_ms);

absl::StatusOr<std::vector<coupons::Limit>> read_limits(ObjectReader& reader, std::string_view name,
                                                        const std::string& path);
void append_limits(JsonWriter& json, std::string_view name,
                   const std::vector<coupons::Limit>& limits);

// Shared with the other objects of coupons.
std::optional<TimeMs> read_moment(ObjectReader& reader, std::string_view name);
std::optional<Money> read_amount(ObjectReader& reader, std::string_view name,
                                 std::string_view currency);
std::vector<std::string> read_words(ObjectReader& reader, std::string_view name);
void append_words(JsonWriter& json, std::string_view name, const std::vector<std::string>& words);
// A refusal of an object as a whole begins with its field.
absl::Status with_its_own_field(absl::Status status);

}  // namespace vitrine::http
