#include "server/coupons/code.h"

#include <algorithm>

#include "base/crypto.h"

namespace vitrine::coupons {
namespace {

constexpr std::string_view k_letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// Luhn modulo 32 over the letters before the check letter.
char check_letter(std::string_view letters) {
  std::size_t sum = 0;
  std::size_t factor = 2;
  for (std::size_t i = letters.size(); i > 0; --i) {
    const std::size_t product = factor * k_letters.find(letters[i - 1]);
    sum += product / k_letters.size() + product % k_letters.size();
    factor = factor == 2 ? 1 : 2;
  }
  return k_letters[(k_letters.size() - sum % k_letters.size()) % k_letters.size()];
}

char without_likeness(char letter) {
  if (letter == 'O') return '0';
  return letter == 'I' || letter == 'L' ? '1' : letter;
}

}  // namespace

std::string make_code() {
  std::string letters;
  for (const char byte : secret_bytes(k_random_letters)) {
    letters += k_letters[static_cast<unsigned char>(byte) % k_letters.size()];
  }
  letters += check_letter(letters);
  for (const std::size_t place : {12U, 8U, 4U}) letters.insert(place, 1, '-');
  return letters;
}

std::string normalized_code(std::string_view text) {
  std::string code;
  for (const char letter : text) {
    if (letter == ' ' || letter == '-') continue;
    code += letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  }
  std::string plain = code;
  std::ranges::transform(plain, plain.begin(), without_likeness);
  return is_made_code(plain) ? plain : code;
}

bool is_made_code(std::string_view normalized) {
  if (normalized.size() != k_random_letters + 1) return false;
  if (normalized.find_first_not_of(k_letters) != std::string_view::npos) return false;
  return check_letter(normalized.substr(0, k_random_letters)) == normalized.back();
}

}  // namespace vitrine::coupons
