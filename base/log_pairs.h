// A log line of key=value pairs as members of a JSON object.
//
// Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace vitrine {

// `event=x error="a b" 5 words` as `"event":"x","error":"a b","message":"5 words"`, without braces.
// A value is a number when it is written like one. What is no pair is the message, which is there
// when there is nothing else. Any bytes give valid JSON: what is not ASCII is passed on when it is
// UTF-8, and replaced when not.
std::string json_members(std::string_view line);

}  // namespace vitrine
