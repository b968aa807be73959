#include "options.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "base/status.h"

namespace vitrine::http_load {
namespace {

constexpr std::string_view k_usage =
    "http_load URL [--rate R] [--connections N] [--seconds S] [--warmup S] [--method M]\n"
    "          [--body TEXT | --bodies FILE] [--users FILE] [--header LINE]... [--json]\n"
    "  URL           http://127.0.0.1:PORT/path; this machine only\n"
    "  --rate        open loop: so many requests a second, whatever the server does; each is "
    "timed\n"
    "                from when it was due, so that waiting counts. Without it: closed loop\n"
    "  --connections kept alive; in a closed loop, each sends as soon as it has its answer (64)\n"
    "  --bodies      one body a line, taken in turn\n"
    "  --users       one user a line; {user} in URL and body stands for one of them, {n} for the\n"
    "                number of the request, {id} for text no other request has\n";

absl::Status wrong(std::string_view what) { return invalid_argument("{}\n\n{}", what, k_usage); }

absl::Status read_number(std::string_view name, std::string_view text, double low, double high,
                         double& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size() && number >= low &&
      number <= high) {
    return absl::OkStatus();
  }
  return wrong(fmt::format("{} must be between {} and {}, got {}", name, low, high, text));
}

absl::Status read_url(std::string_view url, Options& options) {
  constexpr std::string_view k_scheme = "http://";
  if (!url.starts_with(k_scheme)) return wrong("URL must start with http://");
  url.remove_prefix(k_scheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  const std::string_view authority = url.substr(0, slash);
  options.target = slash == url.size() ? "/" : url.substr(slash);
  const std::size_t colon = std::min(authority.find(':'), authority.size());
  options.host = authority.substr(0, colon);
  if (options.host != "localhost" && options.host != "127.0.0.1") {
    return wrong(
        fmt::format("http_load measures this machine only: the host must be 127.0.0.1 or "
                    "localhost, got {}",
                    options.host));
  }
  double port = 80;
  if (colon < authority.size()) {
    VITRINE_RETURN_IF_ERROR(read_number("port", authority.substr(colon + 1), 1, 65535, port));
  }
  options.port = static_cast<std::uint16_t>(port);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> read_lines(std::string_view path) {
  VITRINE_ASSIGN_OR_RETURN(const std::string text, read_file(std::string(path)));
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (lines.empty()) return wrong(fmt::format("{} has no lines", path));
  return lines;
}

absl::Status apply(std::string_view flag, std::string_view value, Options& options) {
  double number = 0;
  if (flag == "--rate") return read_number(flag, value, 1, 1e6, options.rate);
  if (flag == "--seconds") return read_number(flag, value, 0.1, 600, options.seconds);
  if (flag == "--warmup") return read_number(flag, value, 0, 60, options.warmup_seconds);
  if (flag == "--connections") {
    VITRINE_RETURN_IF_ERROR(read_number(flag, value, 1, 10'000, number));
    options.connections = static_cast<std::size_t>(number);
  } else if (flag == "--method") {
    options.method = value;
  } else if (flag == "--body") {
    options.bodies = {std::string(value)};
  } else if (flag == "--header") {
    options.headers.emplace_back(value);
  } else if (flag == "--bodies") {
    VITRINE_ASSIGN_OR_RETURN(options.bodies, read_lines(value));
  } else if (flag == "--users") {
    VITRINE_ASSIGN_OR_RETURN(options.users, read_lines(value));
  } else {
    return wrong(fmt::format("there is no option {}", flag));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  bool has_url = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      options.as_json = true;
    } else if (!argument.starts_with("--")) {
      VITRINE_RETURN_IF_ERROR(read_url(argument, options));
      has_url = true;
    } else if (i + 1 < argc) {
      VITRINE_RETURN_IF_ERROR(apply(argument, argv[++i], options));
    } else {
      return wrong(fmt::format("{} needs a value", argument));
    }
  }
  if (!has_url) return wrong("a URL is needed");
  if (!options.bodies.empty() && options.method == "GET") options.method = "POST";
  return options;
}

}  // namespace vitrine::http_load
