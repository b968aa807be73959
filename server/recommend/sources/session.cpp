#include "server/recommend/sources/sources.h"
#include "server/recommend/sources/taste.h"

namespace vitrine::recommend {
namespace {

class Session final : public CandidateSource {
 public:
  std::string_view name() const override { return "session"; }
  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    return nearest_to_taste(context, &Interest::session_confidence, out);
  }
  Reason reason(const Context& context, ProductNumber product) const override {
    return taste_reason(context, &Interest::session_confidence, product);
  }
};

}  // namespace

const CandidateSource& session_source() {
  static const Session source;
  return source;
}

}  // namespace vitrine::recommend
