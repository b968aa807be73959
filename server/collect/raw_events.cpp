#include "server/collect/raw_events.h"

#include <cstring>

namespace vitrine::collect {
namespace {

// Walks over JSON that is known to be valid.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The next character that is not white space, without taking it.
  char peek() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) != nullptr) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void take() { ++at_; }

  std::string_view value() {
    peek();
    const std::size_t start = at_;
    if (text_[at_] == '"') {
      string();
    } else if (text_[at_] == '{' || text_[at_] == '[') {
      structure();
    } else {
      while (at_ < text_.size() && std::strchr(",]} \t\r\n", text_[at_]) == nullptr) ++at_;
    }
    return text_.substr(start, at_ - start);
  }

 private:
  void string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
  }
  void structure() {
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        string();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

std::vector<std::string_view> elements(Scanner& scanner) {
  std::vector<std::string_view> found;
  scanner.take();  // [
  while (scanner.peek() != ']' && scanner.peek() != '\0') {
    found.push_back(scanner.value());
    if (scanner.peek() == ',') scanner.take();
  }
  scanner.take();  // ]
  return found;
}

}  // namespace

std::vector<std::string_view> raw_events(std::string_view body, std::string_view list) {
  Scanner scanner(body);
  std::vector<std::string_view> found;
  scanner.peek();
  scanner.take();  // {
  while (scanner.peek() == '"') {
    const std::string_view key = scanner.value();
    scanner.peek();
    scanner.take();  // :
    if (key.size() == list.size() + 2 && key.substr(1, list.size()) == list &&
        scanner.peek() == '[') {
      found = elements(scanner);
    } else {
      scanner.value();
    }
    if (scanner.peek() == ',') scanner.take();
  }
  return found;
}

}  // namespace vitrine::collect
