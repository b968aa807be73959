// The catalog: one product (PUT, PATCH, GET, DELETE /v1/products/{id}), many (POST
// /v1/products/batch), all (GET /v1/products).
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "server/catalog/product_json.h"
#include "server/http/handlers/cursor.h"
#include "server/http/handlers/if_match.h"
#include "server/http/handlers/later.h"
#include "server/http/handlers/routes.h"
#include "server/http/json_reader.h"
#include "server/http/json_writer.h"
#include "server/http/query_reader.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_batch_products_max = 10'000;
constexpr std::int64_t k_page_max = 1000;
constexpr std::int64_t k_page_usual = 100;

Response product_response(const Product& product, int status) {
  Response response;
  response.status = status;
  catalog::append_json(product, response.body);
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", product.version));
  return response;
}

absl::StatusOr<boost::json::object> object_of(const Request& request, const Limits& limits) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, limits.max_json_depth));
  const boost::json::object* object = document.root().if_object();
  if (object == nullptr) return invalid_argument("the body must be an object");
  // A copy outside the document's memory: changes run later, on the committer thread.
  return boost::json::object(*object, boost::json::storage_ptr());
}

// The path says which product it is; a body that says otherwise is a mistake.
absl::Status check_same_id(const boost::json::object& object, std::string_view product_id) {
  const boost::json::value* named = object.if_contains("product_id");
  if (named == nullptr) return absl::OkStatus();
  const boost::json::string* text = named->if_string();
  if (text != nullptr && std::string_view(text->data(), text->size()) == product_id) {
    return absl::OkStatus();
  }
  return field_error("product_id", fmt::format("product_id must be the path's, '{}'", product_id));
}

absl::Status check_version(const std::optional<std::uint64_t>& expected,
                           const std::optional<Product>& current) {
  const std::uint64_t actual = current ? current->version : 0;
  if (!expected || *expected == actual) return absl::OkStatus();
  return conflict("If-Match expects version {}, the product has version {}", *expected, actual);
}

void change_product(const Services& services, const Request& request, Reply reply,
                    catalog::Catalog::Change change) {
  auto expected = expected_version(request);
  if (!expected.ok()) return reply.fail(expected.status());
  const auto is_new = std::make_shared<bool>(false);
  auto checked = [expected = *expected, is_new, change = std::move(change)](
                     std::optional<Product> current) -> absl::StatusOr<std::optional<Product>> {
    VITRINE_RETURN_IF_ERROR(check_version(expected, current));
    *is_new = !current.has_value();
    return change(std::move(current));
  };
  const LaterReply later(std::move(reply));
  later.fail_unless_ok(services.catalog.change(
      services.committer, std::string(request.path("id")), std::move(checked),
      [later, is_new](absl::StatusOr<std::optional<Product>> changed) {
        if (!changed.ok()) return later->fail(changed.status());
        if (!*changed) return later->send({204, "", "application/json", {}});
        later->send(product_response(**changed, *is_new ? 201 : 200));
      }));
}

void put_product(const Services& services, const Request& request, Reply reply) {
  auto object = object_of(request, services.limits);
  if (!object.ok()) return reply.fail(object.status());
  const std::string_view id = request.path("id");
  if (const absl::Status same = check_same_id(*object, id); !same.ok()) return reply.fail(same);
  (*object)["product_id"] = boost::json::string_view(id.data(), id.size());
  absl::StatusOr<Product> whole = catalog::product_from_json(*object);
  if (!whole.ok()) return reply.fail(whole.status());
  change_product(services, request, std::move(reply),
                 [whole = *std::move(whole)](
                     std::optional<Product> current) -> absl::StatusOr<std::optional<Product>> {
                   Product next = whole;
                   if (current && next.created_at_ms == 0) {
                     next.created_at_ms = current->created_at_ms;
                   }
                   next.version = current ? current->version : 0;
                   return next;
                 });
}

void patch_product(const Services& services, const Request& request, Reply reply) {
  auto object = object_of(request, services.limits);
  if (!object.ok()) return reply.fail(object.status());
  const std::string id(request.path("id"));
  if (const absl::Status same = check_same_id(*object, id); !same.ok()) return reply.fail(same);
  object->erase("product_id");
  change_product(services, request, std::move(reply),
                 [id, changes = *std::move(object)](
                     std::optional<Product> current) -> absl::StatusOr<std::optional<Product>> {
                   if (!current) return not_found("there is no product {}", id);
                   VITRINE_RETURN_IF_ERROR(catalog::patch_from_json(changes, *current));
                   return current;
                 });
}

void delete_product(const Services& services, const Request& request, Reply reply) {
  change_product(services, request, std::move(reply),
                 [id = std::string(request.path("id"))](const std::optional<Product>& current)
                     -> absl::StatusOr<std::optional<Product>> {
                   if (!current) return not_found("there is no product {}", id);
                   return std::optional<Product>();
                 });
}

absl::StatusOr<Response> get_product(const Services& services, const Request& request) {
  VITRINE_RETURN_IF_ERROR(QueryReader(request.query).finish());
  const std::string_view id = request.path("id");
  const std::shared_ptr<const Product> product = services.catalog.find(id);
  if (!product) return not_found("there is no product {}", id);
  return product_response(*product, 200);
}

Response batch_response(std::size_t upserted,
                        const std::vector<catalog::ProductRejection>& rejected) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("upserted", upserted).key("rejected").begin_array();
  for (const catalog::ProductRejection& product : rejected) {
    json.begin_object().field("index", product.index).field("code", product.code);
    json.field("message", product.message).end_object();
  }
  json.end_array().end_object();
  return json_response(std::move(body));
}

struct ProductBatch {
  std::vector<Product> products;
  std::vector<std::size_t> places;  // of each product in the request
  std::vector<catalog::ProductRejection> rejected;
};

absl::StatusOr<ProductBatch> read_batch(const Request& request, const Limits& limits) {
  JsonDocument document;
  VITRINE_RETURN_IF_ERROR(document.parse(request.body, limits.max_json_depth));
  ObjectReader body(document.root(), "");
  const boost::json::array* entries = body.array("products", k_batch_products_max);
  if (entries == nullptr) body.refuse("products", "is required");
  VITRINE_RETURN_IF_ERROR(body.finish());
  ProductBatch batch;
  for (std::size_t i = 0; i < entries->size(); ++i) {
    const boost::json::object* object = (*entries)[i].if_object();
    absl::StatusOr<Product> product = object != nullptr
                                          ? catalog::product_from_json(*object)
                                          : invalid_argument("a product must be an object");
    if (product.ok()) {
      batch.products.push_back(*std::move(product));
      batch.places.push_back(i);
    } else {
      batch.rejected.push_back({i, std::string(kind_of(product.status().code()).code),
                                std::string(message_of(product.status()))});
    }
  }
  return batch;
}

void upsert_batch(const Services& services, const Request& request, Reply reply) {
  absl::StatusOr<ProductBatch> batch = read_batch(request, services.limits);
  if (!batch.ok()) return reply.fail(batch.status());
  if (batch->products.empty()) return reply.send(batch_response(0, batch->rejected));
  const LaterReply later(std::move(reply));
  auto answer = [later, places = std::move(batch->places), rejected = std::move(batch->rejected)](
                    absl::StatusOr<catalog::UpsertOutcome> outcome) mutable {
    if (!outcome.ok()) return later->fail(outcome.status());
    for (catalog::ProductRejection& more : outcome->rejected) {
      more.index = places[more.index];
      rejected.push_back(std::move(more));
    }
    std::sort(rejected.begin(), rejected.end(),
              [](const auto& a, const auto& b) { return a.index < b.index; });
    later->send(batch_response(outcome->upserted, rejected));
  };
  later.fail_unless_ok(
      services.catalog.upsert(services.committer, std::move(batch->products), std::move(answer)));
}

// Pages follow the products' numbers, which live as long as the process: `list` tells this
// process's cursors from an earlier one's.
absl::StatusOr<Response> list_products(const Services& services, const Request& request,
                                       std::string_view list) {
  QueryReader query(request.query);
  const auto limit =
      static_cast<std::size_t>(query.integer("limit", 1, k_page_max).value_or(k_page_usual));
  const std::uint64_t first = read_cursor(query, list).value_or(0);
  VITRINE_RETURN_IF_ERROR(query.finish());
  const std::shared_ptr<const catalog::CatalogSnapshot> snapshot = services.catalog.current();
  const std::size_t end = services.catalog.numbers().size();
  std::string body;
  JsonWriter json(body);
  json.begin_object().field("size", snapshot->size()).key("products").begin_array();
  std::size_t shown = 0;
  std::uint64_t number = first;
  std::string text;
  for (; number < end && shown < limit; ++number) {
    const Product* product = snapshot->find(ProductNumber(static_cast<std::uint32_t>(number)));
    if (product == nullptr) continue;
    text.clear();
    catalog::append_json(*product, text);
    json.raw(text);
    ++shown;
  }
  json.end_array().key("cursor");
  number < end ? json.value(write_cursor(list, number)) : json.null();
  json.end_object();
  return json_response(std::move(body));
}

}  // namespace

void add_product_routes(Router& router, const Services& services) {
  const std::string list =
      fmt::format("p{:x}", mix64(static_cast<std::uint64_t>(services.clock.now_ms())));
  router.add("GET", "/v1/products", Scope::catalog,
             answer_at_once([&services, list](Request& request) {
               return list_products(services, request, list);
             }));
  router.add("POST", "/v1/products/batch", Scope::catalog,
             [&services](Request& request, Reply reply) {
               upsert_batch(services, request, std::move(reply));
             });
  router.add(
      "GET", "/v1/products/{id}", Scope::catalog,
      answer_at_once([&services](Request& request) { return get_product(services, request); }));
  router.add("PUT", "/v1/products/{id}", Scope::catalog,
             [&services](Request& request, Reply reply) {
               put_product(services, request, std::move(reply));
             });
  router.add("PATCH", "/v1/products/{id}", Scope::catalog,
             [&services](Request& request, Reply reply) {
               patch_product(services, request, std::move(reply));
             });
  router.add("DELETE", "/v1/products/{id}", Scope::catalog,
             [&services](Request& request, Reply reply) {
               delete_product(services, request, std::move(reply));
             });
}

}  // namespace vitrine::http
