// Makes the bytes of one request after the other from the templates of the command line.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "options.h"

namespace vitrine::http_load {

class RequestSource {
 public:
  explicit RequestSource(const Options& options);

  // Replaces `out` by the next request.
  void next(std::string& out);

 private:
  // Text between places to fill in.
  struct Piece {
    enum class Kind { text, user, number, id } kind;
    std::string text;
  };
  using Template = std::vector<Piece>;
  static Template parse(std::string_view text);
  void append(const Template& pieces, std::string_view user, std::string& out) const;

  Template target_;
  std::string head_;  // headers that are always the same
  std::string method_;
  std::vector<Template> bodies_;
  std::vector<std::string> users_;
  std::string run_;  // tells the ids of this run from another's
  Random random_{1};
  std::uint64_t number_ = 0;
  std::string body_;
};

}  // namespace vitrine::http_load
