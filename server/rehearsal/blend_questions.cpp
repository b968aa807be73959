#include "server/rehearsal/blend_questions.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace vitrine::rehearsal {
namespace {

constexpr std::size_t k_cart_products_max = 50;
constexpr std::size_t k_purchases_few = 200;  // of a slice: too little to learn from them alone

bool is_purchase(const training::Interaction& one) { return one.type == EventType::purchase; }
bool is_look(const training::Interaction& one) {
  return one.type == EventType::view || one.type == EventType::click;
}

// Every n-th, so that about `max` of `all` are taken.
std::size_t stride_of(std::size_t all, std::size_t max) {
  return std::max<std::size_t>(1, (all + max - 1) / std::max<std::size_t>(1, max));
}

// The products of each order, each once; orders in the sequence of their first lines.
struct Orders {
  explicit Orders(const Slice& slice) {
    for (std::size_t i = 0; i < slice.size(); ++i) {
      if (!is_purchase(slice[i]) || slice[i].order.empty()) continue;
      const auto [place, is_new] = numbers.try_emplace(slice[i].order, products.size());
      if (is_new) {
        products.emplace_back();
        first_line.emplace(i, place->second);
      }
      auto& lines = products[place->second];
      if (std::ranges::find(lines, slice[i].product) == lines.end()) {
        lines.push_back(slice[i].product);
      }
    }
  }
  StringMap<std::size_t> numbers;
  std::vector<std::vector<std::string_view>> products;
  std::map<std::size_t, std::size_t> first_line;  // place in the slice to number
};

// The one left out rotates through the order's lines from order to order.
Question cart_question(const std::vector<std::string_view>& lines, std::size_t number,
                       UserNumber user) {
  Question question;
  const std::size_t left_out = number % lines.size();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i != left_out && question.request.cart.size() < k_cart_products_max)
      question.request.cart.emplace_back(lines[i]);
  }
  question.request.placement = "cart";
  question.request.known_user = user;
  question.wanted.emplace(lines[left_out]);
  return question;
}

// By place in the slice: the product looked at just before in the same session.
std::map<std::size_t, std::string_view> steps_of(const Slice& slice) {
  std::map<std::size_t, std::string_view> steps;
  StringMap<std::string_view> last;
  for (std::size_t i = 0; i < slice.size(); ++i) {
    if (!is_look(slice[i]) || slice[i].session.empty()) continue;
    std::string_view& before = last[std::string(slice[i].session)];
    if (!before.empty() && before != slice[i].product) steps.emplace(i, before);
    before = slice[i].product;
  }
  return steps;
}

}  // namespace

StringSet people_of(const Slice& slice) {
  StringSet people;
  for (const training::Interaction& one : slice) {
    if (!one.user.empty() && !people.contains(one.user)) people.emplace(one.user);
  }
  return people;
}

std::vector<Question> visits(const Slice& slice, const Rehearsal& rehearsal,
                             const std::string& placement, std::size_t questions_max) {
  const bool has_purchases =
      static_cast<std::size_t>(std::ranges::count_if(slice, is_purchase)) >= k_purchases_few;
  std::map<UserNumber, StringSet> wanted;
  for (const training::Interaction& one : slice) {
    if (has_purchases ? !is_purchase(one) : default_weight(one.type) <= 0) continue;
    const UserNumber user = rehearsal.user(one.user);
    if (user != k_nobody) wanted[user].emplace(one.product);
  }
  const std::size_t stride = stride_of(wanted.size(), questions_max);
  std::vector<Question> questions;
  std::size_t number = 0;
  for (auto& [user, products] : wanted) {
    if (number++ % stride != 0) continue;
    Question& question = questions.emplace_back();
    question.request.placement = placement;
    question.request.known_user = user;
    question.wanted = std::move(products);
  }
  return questions;
}

void play(const Slice& slice, Rehearsal& rehearsal, std::size_t questions_max,
          const Player& player) {
  const Orders orders(slice);
  const std::map<std::size_t, std::string_view> steps = steps_of(slice);
  const std::size_t order_stride = stride_of(orders.products.size(), questions_max);
  const std::size_t step_stride = stride_of(steps.size(), questions_max);
  std::size_t step = 0;
  for (std::size_t i = 0; i < slice.size(); ++i) {
    if (!player.goes_on(i)) return;
    const training::Interaction& one = slice[i];
    rehearsal.go_on_to(one.time_ms);
    if (const auto order = orders.first_line.find(i); order != orders.first_line.end()) {
      const auto& lines = orders.products[order->second];
      if (order->second % order_stride == 0 && lines.size() >= 2)
        player.on_cart(cart_question(lines, order->second, rehearsal.user(one.user)));
    }
    if (const auto before = steps.find(i); before != steps.end() && step++ % step_stride == 0) {
      Question question;
      question.request.placement = "product_page";
      question.request.product_id = before->second;
      question.request.session_id = one.session;
      question.request.known_user = rehearsal.user(one.user);
      question.wanted.emplace(one.product);
      player.on_page(question);
    }
    rehearsal.go_on_to(one.time_ms + 1);
    rehearsal.take(one);
  }
}

}  // namespace vitrine::rehearsal
