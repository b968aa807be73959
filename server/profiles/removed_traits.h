// A trait that its person had deleted: it is gone, and never comes back under that name.
//
// What is durable of it is an identify event in the log, so that whoever reads the log anew comes
// to the same end. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "server/profiles/profile.h"

namespace vitrine::profiles {

// The source of such events; no event that is sent has it.
inline constexpr std::string_view k_removal_source = "vitrine/privacy";

// What a Trait of that name is from then on: no JSON.
inline constexpr std::string_view k_removed_value;

inline bool is_removed(const Trait& trait) { return trait.value == k_removed_value; }
// Whether there is something to tell: neither removed nor taken back by the shop.
inline bool is_told(const Trait& trait) { return !is_removed(trait) && trait.value != "null"; }

// The properties of an event that removes the trait, and the names that such properties remove.
std::string removal_of(std::string_view trait);
std::vector<std::string> removed_by(const Event& event);

}  // namespace vitrine::profiles
