#include "server/recommend/reason.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

class Recent final : public CandidateSource {
 public:
  std::string_view name() const override { return "recent"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    for (const Interest& interest : context.interests) {
      if (!interest.is_bought) out.push_back(interest.product);
    }
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber product) const override {
    return about_product(context, "recent", "You looked at", product);
  }
};

}  // namespace

const CandidateSource& recent_source() {
  static const Recent source;
  return source;
}

}  // namespace vitrine::recommend
