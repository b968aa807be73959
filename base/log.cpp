#include "base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "base/log_pairs.h"

namespace vitrine {
namespace {

spdlog::level::level_enum level_of(Log::Level level) {
  switch (level) {
    case Log::Level::debug:
      return spdlog::level::debug;
    case Log::Level::info:
      return spdlog::level::info;
    case Log::Level::warning:
      return spdlog::level::warn;
    case Log::Level::error:
      return spdlog::level::err;
    case Log::Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

Log::Log(std::shared_ptr<spdlog::logger> logger, Format format)
    : logger_(std::move(logger)), format_(format) {}
Log::~Log() = default;

std::unique_ptr<Log> Log::to_stderr(Level level, Format format) {
  auto logger = std::make_shared<spdlog::logger>(
      "vitrine", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_level(level_of(level));
  logger->set_pattern(format == Format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                             : "%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
  return std::unique_ptr<Log>(new Log(std::move(logger), format));
}

std::unique_ptr<Log> Log::silent() {
  auto logger =
      std::make_shared<spdlog::logger>("vitrine", std::make_shared<spdlog::sinks::null_sink_mt>());
  logger->set_level(spdlog::level::off);
  return std::unique_ptr<Log>(new Log(std::move(logger), Format::text));
}

void Log::set_level(Level level) { logger_->set_level(level_of(level)); }

void Log::write(Level level, const std::string& line) {
  logger_->log(level_of(level), "{}", format_ == Format::json ? json_members(line) : line);
}

}  // namespace vitrine
