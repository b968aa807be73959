// Editors get a tree, and give it back.
#include "server/expressions/tree_json.h"

#include <gmock/gmock.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "base/status.h"
#include "server/expressions/parser.h"
#include "server/expressions/printer.h"

namespace vitrine::expressions {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view json) {
  const auto tree = from_json(boost::json::parse(boost::json::string_view(json)));
  return tree.ok() ? "accepted: " + print(*tree) : std::string(message_of(tree.status()));
}

TEST(TreeJsonTest, SaysWhatTheTextSays) {
  EXPECT_EQ(boost::json::serialize(to_json(*parse("price<50 && !(brand in ['a'])"))),
            R"({"op":"&&","args":[{"op":"<","args":[{"name":"price"},5E1]},)"
            R"({"op":"!","args":[{"op":"in","args":[{"name":"brand"},["a"]]}]}]})");
}

TEST(TreeJsonTest, GivesTheTreeBack) {
  for (const std::string_view text :
       {"a || b && c", "-(1 + 2) * 3 < x", "attributes[\"size eu\"] == \"4\"",
        "title.contains(\"x\") && has(brand)", "days_since(created_at) in [-1, 2]",
        "sets.contains(markets, [\"DE\"])", "true"}) {
    const Node tree = *parse(text);
    const auto back = from_json(to_json(tree));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, tree) << text;
  }
}

TEST(TreeJsonTest, RefusesWhatTextCouldNotSay) {
  EXPECT_THAT(refusal("null"), HasSubstr("got null"));
  EXPECT_THAT(refusal("{}"), HasSubstr("either name or op"));
  EXPECT_THAT(refusal(R"({"op":"<","args":[1]})"), HasSubstr("takes 1 args, got '<'"));
  EXPECT_THAT(refusal(R"({"op":"&&","args":[true]})"), HasSubstr("takes 1 args"));
  EXPECT_THAT(refusal(R"({"op":"like","args":[1,2]})"), HasSubstr("got 'like'"));
  EXPECT_THAT(refusal(R"({"op":"<","args":[{"name":"a"},{"op":7,"args":[]}]})"),
              HasSubstr("args[1] must have op"));
  EXPECT_THAT(refusal(R"({"name":"price) || (true"})"), HasSubstr("a name of a-z"));
  EXPECT_THAT(refusal(R"({"name":"a","color":1})"), HasSubstr(".color is not known"));
  EXPECT_THAT(refusal("[[1]]"), HasSubstr("the tree says"));
  EXPECT_THAT(refusal("[]"), HasSubstr("nothing is in an empty one"));
}

TEST(TreeJsonTest, HoldsTheLimitOfDepth) {
  const auto negations = [](int count) {
    boost::json::value json = true;
    for (int i = 0; i < count; ++i) {
      json = boost::json::object{{"op", "!"}, {"args", boost::json::array{std::move(json)}}};
    }
    return from_json(json);
  };
  EXPECT_TRUE(negations(31).ok());
  EXPECT_THAT(message_of(negations(32).status()), HasSubstr("at most 32 operations deep"));
}

}  // namespace
}  // namespace vitrine::expressions
