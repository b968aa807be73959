#include "server/webhooks/outgoing_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "base/check.h"
#include "base/status.h"
#include "server/webhooks/addresses.h"

namespace vitrine::webhooks {
namespace {

constexpr TimeMs k_retry_after_seconds_max = 7 * 24 * 60 * 60;  // what is longer counts as this

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Transfer {
  OutgoingPost post;
  OutgoingClient::Done done;
  bool allow_private = false;
  std::string refused_address;  // empty: none
  std::size_t answered_bytes = 0;
  std::unique_ptr<curl_slist, FreeList> headers;
  std::unique_ptr<CURL, FreeEasy> easy;
};

std::size_t throw_away(char* /*bytes*/, std::size_t size, std::size_t count, void* transfer) {
  std::size_t& answered = static_cast<Transfer*>(transfer)->answered_bytes;
  answered += size * count;
  return answered <= OutgoingClient::k_answer_bytes_max ? size * count : 0;
}

// The address is the one that will be connected to: nobody resolves the name again after this.
curl_socket_t open_socket(void* transfer, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& of = *static_cast<Transfer*>(transfer);
  if (!of.allow_private && !is_public(address->addr)) {
    of.refused_address = text_of(address->addr);
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void prepare(CURL* easy, Transfer& transfer, const OutgoingClient::Options& options) {
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : transfer.post.headers) {
    headers = curl_slist_append(headers, fmt::format("{}: {}", name, value).c_str());
  }
  transfer.headers.reset(headers);
  curl_easy_setopt(easy, CURLOPT_URL, transfer.post.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, options.allow_private ? "http,https" : "https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout_ms));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "vitrine");
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(transfer.post.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.post.body.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
}

PostOutcome outcome_of(const Transfer& transfer, CURLcode code) {
  PostOutcome outcome;
  curl_off_t took_us = 0;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_TOTAL_TIME_T, &took_us);
  outcome.duration_ms = static_cast<std::int64_t>(took_us / 1000);
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    outcome.http_status = static_cast<int>(status);
    curl_off_t seconds = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RETRY_AFTER, &seconds);
    outcome.retry_after_ms =
        std::clamp<TimeMs>(seconds, 0, k_retry_after_seconds_max) * k_second_ms;
    return outcome;
  }
  if (!transfer.refused_address.empty()) {
    outcome.error =
        fmt::format("{} is a private address: --webhook-allow-private lets it be called",
                    transfer.refused_address);
  } else if (transfer.answered_bytes > OutgoingClient::k_answer_bytes_max) {
    outcome.error =
        fmt::format("the answer is longer than {} bytes", OutgoingClient::k_answer_bytes_max);
  } else {
    outcome.error = curl_easy_strerror(code);
  }
  return outcome;
}

void prepare_library() {
  static std::once_flag is_ready;
  std::call_once(is_ready, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string copied(text);
  curl_free(text);
  return copied;
}

}  // namespace

absl::Status check_url(const std::string& text, bool allow_private) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  const CURLUcode parsed =
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (parsed != CURLUE_OK) {
    return invalid_argument("url cannot be read: {}", curl_url_strerror(parsed));
  }
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "https" && !(allow_private && scheme == "http")) {
    return invalid_argument("url must begin with https://, got '{}'", scheme);
  }
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty()) {
    return invalid_argument("url must hold no user name and no password");
  }
  if (!part_of(url.get(), CURLUPART_FRAGMENT).empty()) {
    return invalid_argument("url must hold no fragment");
  }
  const std::string host = part_of(url.get(), CURLUPART_HOST);
  if (!allow_private && !may_be_public(host)) {
    return invalid_argument(
        "url must lead to the public internet, {} is a private address: the server's "
        "--webhook-allow-private lets it be called",
        host);
  }
  return absl::OkStatus();
}

struct OutgoingClient::State {
  explicit State(Options options_in) : options(std::move(options_in)) {
    prepare_library();
    multi.reset(curl_multi_init());
    CHECK(multi != nullptr, "there is memory for a client");
    // Connections that wait to be used again.
    constexpr long k_idle_connections_max = 100;
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, k_idle_connections_max);
  }

  const Options options;
  std::unique_ptr<CURLM, FreeMulti> multi;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers;
};

OutgoingClient::OutgoingClient(Options options)
    : state_(std::make_unique<State>(std::move(options))) {}

OutgoingClient::~OutgoingClient() {
  for (const auto& [easy, transfer] : state_->transfers) {
    curl_multi_remove_handle(state_->multi.get(), easy);
  }
}

void OutgoingClient::start(OutgoingPost post, Done done) {
  auto transfer = std::make_unique<Transfer>();
  transfer->post = std::move(post);
  transfer->done = std::move(done);
  transfer->allow_private = state_->options.allow_private;
  transfer->easy.reset(curl_easy_init());
  CURL* const easy = transfer->easy.get();
  CHECK(easy != nullptr, "there is memory for a request");
  prepare(easy, *transfer, state_->options);
  curl_multi_add_handle(state_->multi.get(), easy);
  state_->transfers.emplace(easy, std::move(transfer));
}

std::size_t OutgoingClient::in_flight() const { return state_->transfers.size(); }

void OutgoingClient::run(int wait_ms) {
  CURLM* const multi = state_->multi.get();
  int running = 0;
  curl_multi_perform(multi, &running);
  curl_multi_poll(multi, nullptr, 0, wait_ms, nullptr);
  curl_multi_perform(multi, &running);
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // the message goes with its handle
    auto ended = state_->transfers.extract(message->easy_handle);
    const std::unique_ptr<Transfer> transfer = std::move(ended.mapped());
    curl_multi_remove_handle(multi, transfer->easy.get());
    transfer->done(outcome_of(*transfer, code));
  }
}

void OutgoingClient::wake() { curl_multi_wakeup(state_->multi.get()); }

PostOutcome OutgoingClient::post_now(const Options& options, OutgoingPost post) {
  constexpr int k_wait_ms = 1000;
  OutgoingClient client(options);
  PostOutcome told;
  client.start(std::move(post), [&](const PostOutcome& outcome) { told = outcome; });
  while (client.in_flight() > 0) client.run(k_wait_ms);
  return told;
}

}  // namespace vitrine::webhooks
