// Maps a method and a path to a handler: who may call it, what it is called in the metrics, what
// answers the rest.
//
// Routes are added before the first request; from then on handle() may run on any thread. It needs
// no socket: the command line calls it in process.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/http/access_log.h"
#include "server/http/address_limit.h"
#include "server/http/audit_log.h"
#include "server/http/auth.h"
#include "server/http/reply.h"
#include "server/http/request.h"

namespace vitrine::http {

class Idempotency;

// Runs on the thread of the connection and must not block it: what takes long keeps the Reply and
// answers later. The request lives for the call only; what is needed later is moved out of it.
using Handler = std::function<void(Request&, Reply)>;

// A handler that answers before it returns.
Handler answer_at_once(std::function<absl::StatusOr<Response>(Request&)> handler);

struct RouteName {
  std::string method;
  std::string pattern;
  std::optional<Scope> scope;
};

class Router {
 public:
  // `metrics` and `log` must outlive the router.
  Router(AccessPolicy access, Metrics& metrics, Log& log);
  ~Router();

  // `pattern` is "/v1/products/{id}": a {name} takes one segment, decoded. Fixed segments go before
  // named ones. HEAD is answered wherever GET is. Precondition, checked: method and pattern are
  // new.
  void add(std::string_view method, std::string_view pattern, std::optional<Scope> scope,
           Handler handler);

  // The same for a route whose clients keep the key in places of their own, such as the body: the
  // handler asks access() for the scope `collect`.
  void add_with_own_key(std::string_view method, std::string_view pattern, Handler handler);

  // From now on `audit` is told of every act that changes settings, keys, models or people, and how
  // it ended. It outlives the router and every reply. Before the first request.
  void keep_audit(AuditLog& audit) { audit_ = &audit; }

  // From now on writes may be repeated with an Idempotency-Key. It outlives the router. Before the
  // first request.
  void keep_answers(Idempotency& idempotency) { idempotency_ = &idempotency; }

  // From now on an address may make so many requests without a valid key. Before the first request.
  void limit_keyless(const RequestRate& rate) { keyless_ = std::make_unique<AddressLimit>(rate); }

  // Of nothing, until it is told to. Any thread.
  AccessLog& access_log() { return access_log_; }

  // Pages of other origins may use routes of the scopes collect and recommend, and those above:
  // their preflights are answered, and answers are marked for the origins of public keys.
  void handle(Request request, Reply reply) const;

  const AccessPolicy& access() const { return access_; }

  std::vector<RouteName> routes() const;

 private:
  struct Route;
  struct Path;

  const Path* find_path(std::string_view path, std::vector<std::string_view>& captured) const;
  absl::Status prepare(const Path& path, const std::vector<std::string_view>& captured,
                       std::string_view query, std::optional<Scope> scope, Request& request) const;
  void add_route(std::string_view pattern, Route route);
  void answer_preflight(const Path& path, Request& request, Reply reply) const;
  Reply audited(const Path& path, const Route& route, const Request& request, Reply reply) const;
  std::unique_ptr<ReplyObserver> make_observer(std::string_view method, std::string_view route);
  bool is_too_often(const Path& path, const Route& route, const Request& request,
                    const absl::Status& access) const;
  void carry_out(const Path& path, const Route& route, Request& request, Reply reply) const;

  AccessPolicy access_;
  Metrics& metrics_;
  Log& log_;
  AccessLog access_log_;
  AuditLog* audit_ = nullptr;
  Idempotency* idempotency_ = nullptr;
  std::unique_ptr<AddressLimit> keyless_;  // null: no limit
  std::vector<std::unique_ptr<Path>> paths_;
  std::unique_ptr<ReplyObserver> unmatched_;
};

}  // namespace vitrine::http
