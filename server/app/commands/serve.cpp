// vitrine serve: the server, until it is told to stop.
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "base/status.h"
#include "server/app/commands/command.h"
#include "server/app/services.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"
#include "server/http/server.h"

namespace vitrine::app {
namespace {

struct ServeCommand {
  std::string listen = "127.0.0.1:8080";
  bool open = false;
  std::string tls_certificate;  // both or none
  std::string tls_key;
  std::size_t threads = std::max(2U, std::thread::hardware_concurrency());
};

// The mathematics libraries read these when they are loaded, so they must be there before that: the
// program starts itself once more. Their own threads would only get in the way of ours.
void use_one_math_thread(char** arguments) {
  bool is_set = true;
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    // No other thread runs yet.
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    if (value != nullptr && std::strcmp(value, "1") == 0) continue;
    is_set = false;
    ::setenv(name, "1", 1);  // NOLINT(concurrency-mt-unsafe)
  }
  // Where that is not possible we go on as we are: slower in batches, not wrong.
  if (!is_set) ::execv("/proc/self/exe", arguments);
}

absl::StatusOr<http::ListenAddress> checked_address(const ServeCommand& command,
                                                    const Config& config) {
  VITRINE_RETURN_IF_ERROR(check_data(config, false));
  absl::StatusOr<http::ListenAddress> address = http::parse_listen_address(command.listen);
  if (!address.ok()) {
    return wrong_use(fmt::format("--listen: {}", message_of(address.status())));
  }
  if (command.open && !http::is_loopback_address(address->address)) {
    return wrong_use(fmt::format(
        "--open trusts everybody and is for loopback addresses only, got {}; leave it out and make "
        "keys with 'vitrine keys create'",
        address->address));
  }
  if (command.tls_certificate.empty() != command.tls_key.empty()) {
    return wrong_use("--tls-cert and --tls-key go together");
  }
  return address;
}

constexpr timespec k_between_looks{.tv_sec = 2, .tv_nsec = 0};  // at the certificate's files

// What can change while the server runs; a wrong file changes nothing.
void reload_settings(const Invocation& invocation, Services& services, Log& log) {
  const absl::StatusOr<Config> config = invocation.reread();
  if (!config.ok()) {
    log.warning("event=settings_refused error=\"{}\"", message_of(config.status()));
    return;
  }
  services.log_requests(config->access_log_every);
  log.info("event=settings_reloaded access_log_every={}", config->access_log_every);
  log.set_level(config->log_level);
}

// Waits for a signal that ends the server. SIGHUP brings new settings, and as a change of the files
// does, a new certificate.
int wait_for_stop(const sigset_t& signals, http::Server& server,
                  const std::function<void()>& reload_settings) {
  for (;;) {
    const int signal = sigtimedwait(&signals, nullptr, &k_between_looks);
    if (signal == SIGHUP) {
      server.reload_certificate();
      reload_settings();
    } else if (signal > 0) {
      return signal;
    } else {
      server.look_at_certificate();
    }
  }
}

// Signals that the server heeds, waited for by one thread; blocked in all others, which are started
// afterwards.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a write past the limit on file sizes fails and says so
  return signals;
}

void print_ready(const http::ListenAddress& address, std::uint16_t port, bool is_encrypted,
                 const ServiceFacts& facts, bool as_json) {
  const std::string_view scheme = is_encrypted ? "https" : "http";
  const bool is_v6 = address.address.find(':') != std::string::npos;
  const std::string url = is_v6 ? fmt::format("{}://[{}]:{}", scheme, address.address, port)
                                : fmt::format("{}://{}:{}", scheme, address.address, port);
  if (as_json) {
    std::string line;
    http::JsonWriter(line)
        .begin_object()
        .field("ready", url)
        .field("products", facts.products)
        .field("users", facts.users)
        .field("log_entries", facts.entries)
        .field("model_version", facts.model_version)
        .end_object();
    print_line(line);
    return;
  }
  print_line(
      fmt::format("vitrine ready on {}  ({} products, {} users, {} log entries, {})", url,
                  grouped(facts.products), grouped(facts.users), grouped(facts.entries),
                  facts.model_version.empty() ? "no model yet" : "model " + facts.model_version));
}

absl::Status run(const ServeCommand& command, const Invocation& invocation) {
  const Config& config = invocation.config;
  VITRINE_ASSIGN_OR_RETURN(const http::ListenAddress address, checked_address(command, config));
  const sigset_t signals = block_signals();

  const SystemClock clock;
  Metrics metrics;
  const std::unique_ptr<Log> log = Log::to_stderr(config.log_level, config.log_format);
  // Made with the first entry, so that its estimate is of the replay alone.
  std::optional<Progress> progress;
  VITRINE_ASSIGN_OR_RETURN(
      const std::unique_ptr<Services> services,
      Services::open(config, command.open ? Access::everybody : Access::by_key, clock, metrics,
                     *log, [&](Position done, Position last) {
                       if (!progress) progress.emplace("replaying the log", invocation.json);
                       progress->update(static_cast<double>(done) / static_cast<double>(last),
                                        grouped(done) + " entries");
                     }));
  std::optional<http::Certificate::Files> tls;
  if (!command.tls_key.empty()) tls = {.chain = command.tls_certificate, .key = command.tls_key};
  VITRINE_ASSIGN_OR_RETURN(
      const std::unique_ptr<http::Server> server,
      http::Server::start({.address = address.address,
                           .port = address.port,
                           .control_socket = DataLayout(config.data).control_socket,
                           .threads = command.threads,
                           .limits = config.http,
                           .tls = tls},
                          services->router(), clock, metrics, *log));
  progress.reset();
  services->start_webhooks();
  services->start_grant_jobs();
  print_ready(address, server->port(), tls.has_value(), services->facts(), invocation.json);

  const int signal =
      wait_for_stop(signals, *server, [&] { reload_settings(invocation, *services, *log); });
  log->info("stopping signal={}", signal);
  services->begin_stopping();
  const std::size_t cut = server->stop();
  services->stop();
  log->info("stopped connections_cut={}", cut);
  return absl::OkStatus();
}

}  // namespace

void add_serve(CLI::App& root, Invocation& invocation) {
  CLI::App& app =
      add_command(root, invocation, "serve", "Collect events and answer, until SIGTERM or Ctrl-C",
                  "  vitrine serve --data shop                              with API keys\n"
                  "  vitrine serve --data shop --open                       this machine, no keys\n"
                  "  vitrine serve --data shop --listen 0.0.0.0:8080 --threads 8\n");
  const auto command = std::make_shared<ServeCommand>();
  add_data_option(app, invocation);
  app.add_option("--listen", command->listen, "Address and port; port 0 takes a free one")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_flag("--open", command->open, "No API keys; on a loopback address only");
  app.add_option("--tls-cert", command->tls_certificate,
                 "HTTPS with this certificate and those above it (PEM); a new file is taken up")
      ->type_name("FILE");
  app.add_option("--tls-key", command->tls_key, "The certificate's key (PEM, no passphrase)")
      ->type_name("FILE");
  app.add_option("--threads", command->threads, "Event loops, a thread each")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation]() -> absl::Status {
      use_one_math_thread(invocation.arguments);
      return run(*command, invocation);
    };
  });
}

}  // namespace vitrine::app
