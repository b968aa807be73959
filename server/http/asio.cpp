// Asio and Beast are compiled here, once for the project.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
