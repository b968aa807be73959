// Structured log lines, key=value: the door to spdlog. Never personal data, never keys.
//
// Only server/ and the commands log; libraries below return what happened. Thread-safe.
#pragma once

#include <fmt/core.h>

#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace vitrine {

class Log {
 public:
  enum class Level { debug, info, warning, error, off };

  // `json`: one object a line, {"time", "level", then the pairs of the line}.
  enum class Format { text, json };

  // To standard error; colours only on a terminal, and in text.
  static std::unique_ptr<Log> to_stderr(Level level, Format format = Format::text);
  // Swallows everything: for tests and one-shot commands.
  static std::unique_ptr<Log> silent();
  ~Log();

  // From the next line on.
  void set_level(Level level);

  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::info, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::error, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  Log(std::shared_ptr<spdlog::logger> logger, Format format);
  void write(Level level, const std::string& line);
  std::shared_ptr<spdlog::logger> logger_;
  const Format format_;
};

}  // namespace vitrine
