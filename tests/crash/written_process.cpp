#include "tests/crash/written_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "base/check.h"
#include "base/clock.h"

namespace vitrine::crash {

WrittenProcess::WrittenProcess(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int ends[2];
  CHECK(::pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made");
  process_ = ::fork();
  CHECK(process_ >= 0, "a process can be made");
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

WrittenProcess::~WrittenProcess() {
  if (process_ > 0) kill_and_drain();
  ::close(output_);
}

bool WrittenProcess::read_some(int timeout_ms) {
  pollfd waiting{output_, POLLIN, 0};
  if (::poll(&waiting, 1, timeout_ms) <= 0) return true;
  char buffer[1 << 16];
  const ssize_t count = ::read(output_, buffer, sizeof buffer);
  if (count <= 0) return false;
  text_.append(buffer, static_cast<std::size_t>(count));
  return true;
}

bool WrittenProcess::read_until(const std::string& text) {
  while (text_.find(text) == std::string::npos) {
    if (!read_some(1000)) return false;
  }
  return true;
}

void WrittenProcess::read_for(int milliseconds) {
  const std::int64_t end_us = steady_us() + std::int64_t{milliseconds} * 1000;
  for (;;) {
    const std::int64_t left_ms = (end_us - steady_us()) / 1000;
    if (left_ms <= 0 || !read_some(static_cast<int>(left_ms))) return;
  }
}

bool WrittenProcess::kill_and_drain() {
  ::kill(process_, SIGKILL);
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  while (read_some(-1)) {
  }
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

std::vector<std::string> WrittenProcess::lines() const {
  std::vector<std::string> found;
  std::size_t start = 0;
  for (std::size_t end = 0; (end = text_.find('\n', start)) != std::string::npos; start = end + 1) {
    found.push_back(text_.substr(start, end - start));
  }
  return found;
}

}  // namespace vitrine::crash
