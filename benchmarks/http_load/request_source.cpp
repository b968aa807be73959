#include "request_source.h"

#include <fmt/format.h>

#include <iterator>

#include "base/clock.h"

namespace vitrine::http_load {

RequestSource::RequestSource(const Options& options)
    : target_(parse(options.target)),
      method_(options.method),
      users_(options.users),
      run_(fmt::format("{:x}", SystemClock().now_ms())) {
  head_ = fmt::format(" HTTP/1.1\r\nHost: {}:{}\r\n", options.host, options.port);
  for (const std::string& header : options.headers) head_ += header + "\r\n";
  if (!options.bodies.empty()) head_ += "Content-Type: application/json\r\n";
  for (const std::string& body : options.bodies) bodies_.push_back(parse(body));
  if (users_.empty()) users_.emplace_back("u1");
}

RequestSource::Template RequestSource::parse(std::string_view text) {
  constexpr std::pair<std::string_view, Piece::Kind> k_places[] = {
      {"{user}", Piece::Kind::user}, {"{n}", Piece::Kind::number}, {"{id}", Piece::Kind::id}};
  Template pieces;
  std::string plain;
  while (!text.empty()) {
    bool filled = false;
    for (const auto& [place, kind] : k_places) {
      if (!text.starts_with(place)) continue;
      pieces.push_back({Piece::Kind::text, std::move(plain)});
      pieces.push_back({kind, ""});
      plain.clear();
      text.remove_prefix(place.size());
      filled = true;
      break;
    }
    if (filled) continue;
    plain += text.front();
    text.remove_prefix(1);
  }
  pieces.push_back({Piece::Kind::text, std::move(plain)});
  return pieces;
}

void RequestSource::append(const Template& pieces, std::string_view user, std::string& out) const {
  for (const Piece& piece : pieces) {
    switch (piece.kind) {
      case Piece::Kind::text:
        out += piece.text;
        break;
      case Piece::Kind::user:
        out += user;
        break;
      case Piece::Kind::number:
        fmt::format_to(std::back_inserter(out), "{}", number_);
        break;
      case Piece::Kind::id:
        fmt::format_to(std::back_inserter(out), "{}-{}", run_, number_);
        break;
    }
  }
}

void RequestSource::next(std::string& out) {
  const std::string& user = users_[random_.below(users_.size())];
  out.clear();
  out += method_;
  out += ' ';
  append(target_, user, out);
  out += head_;
  if (!bodies_.empty()) {
    body_.clear();
    append(bodies_[number_ % bodies_.size()], user, body_);
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", body_.size());
  }
  out += "\r\n";
  out += body_;
  ++number_;
}

}  // namespace vitrine::http_load
