#include <algorithm>
#include <array>
#include <optional>

#include "base/status.h"
#include "server/recommend/next_products.h"
#include "server/recommend/reason.h"
#include "server/recommend/sources/sources.h"
#include "server/recommend/sources/taste.h"

namespace vitrine::recommend {
namespace {

// The best of what sessions like this one went on to; further down they know little.
constexpr std::size_t k_next_products_max = 100;
// Sessions of a candidate that are searched for what it was looked at together with.
constexpr std::size_t k_reason_sessions_max = 50;

// What sessions like this one went on to, then what lies near its products in the model.
class Session final : public CandidateSource {
 public:
  std::string_view name() const override { return "session"; }
  SourceCost cost(const Context&) const override { return SourceCost::search; }
  std::optional<Confidence> taste() const override { return &Interest::session_confidence; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    thread_local std::vector<NextProduct> next;
    find_next_products(context.sessions, context.session, context.own_session, k_next_products_max,
                       next);
    for (const NextProduct& entry : next) {
      if (!context.marks.has(entry.product, Mark::seen)) out.push_back(entry.product);
    }
    thread_local std::vector<ProductNumber> near;
    near.clear();
    VITRINE_RETURN_IF_ERROR(nearest_to_taste(context, &Interest::session_confidence, near));
    const std::size_t heard = out.size();
    for (const ProductNumber product : near) {
      const auto end = out.begin() + static_cast<std::ptrdiff_t>(heard);
      if (std::find(out.begin(), end, product) == end) out.push_back(product);
    }
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber product) const override {
    if (const auto step = step_beside(context, product)) return also_looked_at(context, *step);
    return taste_reason(context, &Interest::session_confidence, product);
  }

 private:
  // The latest product of this session that others looked at in one session with `product`.
  static std::optional<ProductNumber> step_beside(const Context& context, ProductNumber product) {
    thread_local std::vector<profiles::SessionOfProduct> sessions;
    context.sessions.sessions_of(product, k_reason_sessions_max, sessions);
    profiles::SessionBook::Session session;
    std::size_t latest = 0;  // one behind its place
    for (const profiles::SessionOfProduct& entry : sessions) {
      if (entry.session == context.own_session) continue;
      if (!context.sessions.read(entry.session, session)) continue;
      for (std::size_t place = context.session.size(); place > latest; --place) {
        const ProductNumber step = context.session[place - 1];
        if (step == product || !context.may_name(step)) continue;
        if (std::ranges::find(session.clicks(), step) != session.clicks().end()) latest = place;
      }
    }
    if (latest == 0) return std::nullopt;
    return context.session[latest - 1];
  }
};

}  // namespace

const CandidateSource& session_source() {
  static const Session source;
  return source;
}

}  // namespace vitrine::recommend
