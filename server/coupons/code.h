// Codes of coupons: made so that they cannot be guessed, and read as people type them.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vitrine::coupons {

// 13 letters of Crockford's base 32, which are 65 random bits, and one that checks them (Luhn,
// modulo 32): any one wrong letter is noticed. "7K3Q-9XHT-2M5V-B8".
constexpr std::size_t k_random_letters = 13;
std::string make_code();

// In capitals, without spaces and dashes; in a code that make_code() could have made O is read as
// 0, I and L as 1. Any text.
std::string normalized_code(std::string_view text);

// Whether a normalized code has the form and the check letter of one that was made here.
bool is_made_code(std::string_view normalized);

}  // namespace vitrine::coupons
