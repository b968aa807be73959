// Protocol buffer messages as bytes that depend on their content alone.
#pragma once

#include <string>

namespace google::protobuf {
class MessageLite;
}

namespace vitrine {

// Like SerializeAsString(), with the entries of maps in order of their keys, so that equal messages
// have equal bytes (and checksums) in every process. Thread-safe.
std::string stable_bytes(const google::protobuf::MessageLite& message);

}  // namespace vitrine
