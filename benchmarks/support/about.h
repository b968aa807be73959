// Where a figure was measured: without machine and commit it says nothing.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

namespace vitrine {

inline std::string machine() {
  std::ifstream facts("/proc/cpuinfo");
  for (std::string line; std::getline(facts, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with("model name") || colon == std::string::npos) continue;
    return fmt::format("{} x {}", std::thread::hardware_concurrency(), line.substr(colon + 2));
  }
  return "unknown processor";
}

inline std::string commit() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> git(
      ::popen("git describe --always --dirty 2>/dev/null", "r"), ::pclose);
  char line[64] = {};
  if (git == nullptr || std::fgets(line, sizeof line, git.get()) == nullptr) return "unknown";
  const std::string text = line;
  return text.substr(0, text.find('\n'));
}

}  // namespace vitrine
