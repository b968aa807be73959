#include "server/expressions/lexer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "model/event.h"
#include "server/expressions/failure.h"

namespace vitrine::expressions {
namespace {

constexpr std::array<std::string_view, 8> k_long_signs = {
    "&&", "||", "==", "!=", "<=", ">=", "//", "<>"};
constexpr std::string_view k_signs = "<>!+-*/%()[],.";

// What people write who know another language, and what to write here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> k_hints = {
    {{"<>", "write != for 'is not equal'"},
     {"=", "write == to compare"},
     {"&", "write && for 'and'"},
     {"|", "write || for 'or'"},
     {"?", "there is no choice between two values; write (a && b) || (!a && c)"},
     {":", "there is no choice between two values; write (a && b) || (!a && c)"},
     {";", "an expression is one condition; join several by &&"},
     {"{", "lists are written in square brackets: [\"a\", \"b\"]"},
     {"}", "lists are written in square brackets: [\"a\", \"b\"]"},
     {"`", "texts are written in straight quotes: \"a\""},
     {"\u2264", "write <= for 'at most'"},
     {"\u2265", "write >= for 'at least'"},
     {"\u2260", "write != for 'is not equal'"},
     {"\u00AC", "write ! for 'not'"},
     {"#", "a comment begins with //"},
     {"$", "names are written without a sign before them: price"},
     {"@", "names are written without a sign before them: price"}}};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool begins_word(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_';
}
bool is_space(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}
bool is_inside_character(char letter) {
  return (static_cast<unsigned char>(letter) & 0xC0U) == 0x80U;
}

void append_utf8(unsigned code, std::string& out) {
  if (code < 0x80U) {
    out += static_cast<char>(code);
  } else if (code < 0x800U) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

std::optional<char> escaped(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '\\':
    case '"':
    case '\'':
      return letter;
    default:
      return std::nullopt;
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Token>> all() {
    std::vector<Token> tokens;
    while (true) {
      skip_spaces();
      Token token;
      token.column = column_;
      if (at_ == text_.size()) {
        tokens.push_back(std::move(token));
        return tokens;
      }
      VITRINE_RETURN_IF_ERROR(read(token));
      tokens.push_back(std::move(token));
    }
  }

 private:
  char now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  std::string_view rest() const { return text_.substr(at_); }

  void step() {
    ++at_;
    if (at_ == text_.size() || !is_inside_character(text_[at_])) ++column_;
  }

  void skip_spaces() {
    while (at_ < text_.size()) {
      if (is_space(now())) {
        step();
      } else if (rest().starts_with("//")) {
        while (at_ < text_.size() && now() != '\n') step();
      } else {
        return;
      }
    }
  }

  absl::Status read(Token& token) {
    const char first = now();
    if (first == '"' || first == '\'') return read_text(token);
    const bool is_point_number = first == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
    if (is_digit(first) || is_point_number) return read_number(token);
    if (begins_word(first)) {
      read_word(token);
      return absl::OkStatus();
    }
    return read_sign(token);
  }

  void read_word(Token& token) {
    token.kind = Token::Kind::word;
    while (begins_word(now()) || is_digit(now())) {
      token.text += now();
      step();
    }
  }

  absl::Status read_number(Token& token) {
    token.kind = Token::Kind::number;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), token.number);
    if (error != std::errc() || !std::isfinite(token.number)) {
      return wrong_at(token.column, "expected a number that a 64-bit float can hold");
    }
    while (text_.data() + at_ < end) step();
    if (!begins_word(now()) && now() != '.' && !is_digit(now())) return absl::OkStatus();
    return wrong_at(column_, "expected an operator after the number {}, got '{}'",
                    std::string_view(begin, static_cast<std::size_t>(end - begin)),
                    quoted(rest().substr(0, 1)));
  }

  absl::Status read_text(Token& token) {
    token.kind = Token::Kind::text;
    const char quote = now();
    step();
    while (at_ < text_.size() && now() != quote) {
      if (now() == '\n') break;
      if (now() != '\\') {
        token.text += now();
        step();
        continue;
      }
      VITRINE_RETURN_IF_ERROR(read_escape(token.text));
    }
    if (now() != quote) {
      return wrong_at(token.column, "the text that begins here is not closed: expected {}", quote);
    }
    step();
    return absl::OkStatus();
  }

  absl::Status read_escape(std::string& out) {
    const std::size_t column = column_;
    step();
    if (now() == 'u') return read_code(column, out);
    const std::optional<char> letter = escaped(now());
    if (!letter) {
      return wrong_at(column,
                      "expected one of \\n \\t \\r \\\\ \\\" \\' \\u0041 after a backslash");
    }
    out += *letter;
    step();
    return absl::OkStatus();
  }

  // Four hexadecimal digits of a character outside the surrogates.
  absl::Status read_code(std::size_t column, std::string& out) {
    step();
    const std::string_view digits = rest().substr(0, 4);
    unsigned code = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    const bool is_code = error == std::errc() && digits.size() == 4 &&
                         end == digits.data() + digits.size() && (code < 0xD800U || code > 0xDFFFU);
    if (!is_code) {
      return wrong_at(column, "expected four hexadecimal digits of a character after \\u");
    }
    append_utf8(code, out);
    for (int i = 0; i < 4; ++i) step();
    return absl::OkStatus();
  }

  absl::Status read_sign(Token& token) {
    token.kind = Token::Kind::sign;
    for (const std::string_view sign : k_long_signs) {
      if (!rest().starts_with(sign)) continue;
      token.text = sign;
      break;
    }
    if (token.text.empty()) token.text = whole_character();
    for (const auto& [sign, hint] : k_hints) {
      if (token.text == sign) return wrong_at(column_, "unknown sign '{}': {}", sign, hint);
    }
    if (token.text.size() == 1 && k_signs.find(token.text.front()) == std::string_view::npos) {
      return wrong_at(column_, "unknown sign '{}': expected a name, a value or an operator",
                      token.text);
    }
    if (is_foreign()) return foreign(token.text);
    for (std::size_t i = 0; i < token.text.size(); ++i) step();
    return absl::OkStatus();
  }

  bool is_foreign() const { return (static_cast<unsigned char>(now()) & 0x80U) != 0; }

  std::string whole_character() const {
    std::size_t size = 1;
    while (size < rest().size() && is_inside_character(rest()[size])) ++size;
    return std::string(rest().substr(0, size));
  }

  absl::Status foreign(std::string_view character) const {
    constexpr std::array<std::string_view, 8> k_curly = {"\u201C", "\u201D", "\u201E", "\u2018",
                                                         "\u2019", "\u00AB", "\u00BB", "\u300C"};
    for (const std::string_view quote : k_curly) {
      if (character != quote) continue;
      return wrong_at(column_, "unknown sign '{}': texts are written in straight quotes: \"a\"",
                      character);
    }
    return wrong_at(column_, "unknown sign '{}': texts stand in quotes, names have a-z, 0-9 and _",
                    character);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t column_ = 1;
};

}  // namespace

absl::StatusOr<std::vector<Token>> tokens_of(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes_max) {
    return wrong_at(1, "an expression may have at most {} bytes, got {}", limits.bytes_max,
                    text.size());
  }
  if (!is_valid_utf8(text)) return wrong_at(1, "expected text in UTF-8");
  return Lexer(text).all();
}

}  // namespace vitrine::expressions
