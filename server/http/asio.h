// The network library as this folder uses it: one executor type, so that no call goes through a
// type-erased one.
//
// Included by the folder's own sources only, never by a public header.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace vitrine::http {

namespace net = boost::asio;
using ErrorCode = boost::system::error_code;
using Executor = net::io_context::executor_type;
template <class T>
using Task = net::awaitable<T, Executor>;
inline constexpr net::use_awaitable_t<Executor> use_task;
// TCP and unix-domain alike.
using Socket = net::basic_stream_socket<net::generic::stream_protocol, Executor>;
using Timer = net::basic_waitable_timer<std::chrono::steady_clock,
                                        net::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace vitrine::http
