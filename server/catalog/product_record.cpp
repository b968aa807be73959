// The stored form of a product.
#include <iterator>
#include <utility>

#include "base/status.h"
#include "model/proto/catalog.pb.h"
#include "model/proto_bytes.h"
#include "server/catalog/catalog.h"

namespace vitrine::catalog {

std::string encode(const Product& product) {
  proto::Product out;
  out.set_product_id(product.product_id);
  out.set_title(product.title);
  for (const std::string& path : product.categories) out.add_categories(path);
  out.set_brand(product.brand);
  if (product.price) out.set_price_minor(product.price->minor);
  if (product.list_price) out.set_list_price_minor(product.list_price->minor);
  out.set_currency(product.currency);
  out.set_in_stock(product.in_stock);
  if (product.stock) out.set_stock(*product.stock);
  for (const std::string& market : product.markets) out.add_markets(market);
  if (product.available_from_ms) out.set_available_from_ms(*product.available_from_ms);
  if (product.available_until_ms) out.set_available_until_ms(*product.available_until_ms);
  out.set_hidden(product.hidden);
  out.set_group_id(product.group_id);
  out.set_image_url(product.image_url);
  out.set_url(product.url);
  out.mutable_attributes()->insert(product.attributes.begin(), product.attributes.end());
  out.set_created_at_ms(product.created_at_ms);
  out.set_version(product.version);
  return stable_bytes(out);
}

absl::StatusOr<Product> decode_product(std::string_view bytes) {
  // Kept, because making and freeing its parts takes longer than reading them; parsing clears it.
  thread_local proto::Product in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return data_loss("a product record of {} bytes cannot be read", bytes.size());
  }
  Product product;
  product.product_id = std::move(*in.mutable_product_id());
  product.title = std::move(*in.mutable_title());
  product.categories.assign(std::make_move_iterator(in.mutable_categories()->begin()),
                            std::make_move_iterator(in.mutable_categories()->end()));
  product.brand = std::move(*in.mutable_brand());
  if (in.has_price_minor()) product.price = Money{in.price_minor()};
  if (in.has_list_price_minor()) product.list_price = Money{in.list_price_minor()};
  product.currency = std::move(*in.mutable_currency());
  product.in_stock = in.in_stock();
  if (in.has_stock()) product.stock = in.stock();
  product.markets.assign(in.markets().begin(), in.markets().end());
  if (in.has_available_from_ms()) product.available_from_ms = in.available_from_ms();
  if (in.has_available_until_ms()) product.available_until_ms = in.available_until_ms();
  product.hidden = in.hidden();
  product.group_id = std::move(*in.mutable_group_id());
  product.image_url = std::move(*in.mutable_image_url());
  product.url = std::move(*in.mutable_url());
  product.attributes.insert(in.attributes().begin(), in.attributes().end());
  product.created_at_ms = in.created_at_ms();
  product.version = in.version();
  return product;
}

}  // namespace vitrine::catalog
