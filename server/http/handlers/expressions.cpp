// For editors of expressions: POST /v1/expressions/check, GET /v1/expressions/fields.
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/status.h"
#include "server/expressions/parser.h"
#include "server/expressions/printer.h"
#include "server/expressions/program.h"
#include "server/expressions/tree_json.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"
#include "server/recommend/product_expression.h"
#include "server/segments/audience.h"
#include "server/segments/person.h"

namespace vitrine::http {
namespace {

std::string_view name_in_json(expressions::Type type) {
  switch (type) {
    case expressions::Type::boolean:
      return "boolean";
    case expressions::Type::number:
      return "number";
    case expressions::Type::text:
      return "text";
    case expressions::Type::time:
      return "time";
    case expressions::Type::texts:
      return "texts";
    case expressions::Type::numbers:
      return "numbers";
    case expressions::Type::paths:
      return "paths";
    case expressions::Type::map:
      return "map";
  }
  return {};
}

constexpr std::size_t k_word_bytes_max = 100;

// What an expression may be about; null for another word.
const expressions::Schema* schema_of(std::string_view about) {
  if (about == "product") return &recommend::product_schema();
  if (about == "person") return &segments::person_schema();
  if (about == "audience") return &segments::audience_schema();
  return about == "request" ? &recommend::request_schema() : nullptr;
}

std::string about_refusal(std::string_view about) {
  return fmt::format("must be one of product, person, audience, request, got '{}'", about);
}

absl::StatusOr<expressions::Node> tree_of(ObjectReader& reader) {
  const auto text = reader.text("expression", expressions::Limits().bytes_max);
  const boost::json::value* const tree = reader.any("tree");
  VITRINE_RETURN_IF_ERROR(reader.finish());
  if (text.has_value() == (tree != nullptr)) {
    return with_field(invalid_argument("expression or tree must be given, and not both"),
                      "expression");
  }
  const std::string_view field = text ? "expression" : "tree";
  auto parsed = text ? expressions::parse(*text) : expressions::from_json(*tree);
  if (parsed.ok()) return parsed;
  return with_field(invalid_argument("{} {}", field, message_of(parsed.status())),
                    std::string(field));
}

// The expression as text and as tree, whichever it came as.
absl::StatusOr<Response> check(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, services.limits.max_json_depth));
  ObjectReader reader(document.root(), "");
  const std::string_view about = reader.text("about", k_word_bytes_max).value_or("product");
  const expressions::Schema* const schema = schema_of(about);
  if (schema == nullptr) reader.refuse("about", about_refusal(about));
  VITRINE_ASSIGN_OR_RETURN(const expressions::Node tree, tree_of(reader));
  const auto program = expressions::Program::compile(tree, *schema);
  if (!program.ok()) {
    return with_field(invalid_argument("expression {}", message_of(program.status())),
                      "expression");
  }
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("expression", expressions::print(tree)).key("tree");
  json.raw(boost::json::serialize(expressions::to_json(tree)));
  json.field("depends_on_time", program->depends_on_time()).end_object();
  return json_response(std::move(body));
}

absl::StatusOr<Response> fields(const Request& request) {
  QueryReader query(request.query);
  const std::string_view about = query.text("about", k_word_bytes_max).value_or("product");
  const expressions::Schema* const schema = schema_of(about);
  if (schema == nullptr) query.refuse("about", about_refusal(about));
  VITRINE_RETURN_IF_ERROR(query.finish());
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("about", about).key("fields").begin_array();
  for (const expressions::Field& field : schema->fields()) {
    json.begin_object().field("name", field.name).field("type", name_in_json(field.type));
    json.field("meaning", field.meaning).end_object();
  }
  json.end_array().key("operations").begin_array();
  for (const expressions::Spelling& spelling : expressions::spellings()) {
    if (schema->is_about_people() || !expressions::asks_people(spelling.operation)) {
      json.value(spelling.text);
    }
  }
  json.end_array().end_object();
  return json_response(std::move(body));
}

}  // namespace

void add_expression_routes(Router& router, const Services& services) {
  router.add("POST", "/v1/expressions/check", Scope::marketing,
             answer_at_once([&services](Request& request) { return check(services, request); }));
  router.add("GET", "/v1/expressions/fields", Scope::marketing,
             answer_at_once([](Request& request) { return fields(request); }));
}

}  // namespace vitrine::http
