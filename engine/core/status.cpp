// SPDX-License-Identifier: MIT
#include <tutti/status.h>

namespace tutti {

const char* code_name(Code code) noexcept {
    switch (code) {
    case Code::ok:
        return "ok";
    case Code::invalid_argument:
        return "invalid_argument";
    case Code::out_of_range:
        return "out_of_range";
    case Code::not_found:
        return "not_found";
    case Code::unsupported:
        return "unsupported";
    case Code::file_not_found:
        return "file_not_found";
    case Code::file_unreadable:
        return "file_unreadable";
    case Code::file_unwritable:
        return "file_unwritable";
    case Code::malformed:
        return "malformed";
    case Code::truncated:
        return "truncated";
    case Code::too_large:
        return "too_large";
    case Code::wrong_state:
        return "wrong_state";
    case Code::full:
        return "full";
    case Code::cancelled:
        return "cancelled";
    case Code::out_of_memory:
        return "out_of_memory";
    case Code::deadline:
        return "deadline";
    case Code::no_device:
        return "no_device";
    case Code::device_failed:
        return "device_failed";
    case Code::backend_failed:
        return "backend_failed";
    case Code::internal:
        return "internal";
    }
    return "unknown";
}

Status::Status(Code code, std::string what, std::string means, std::string remedy)
    : m_code(code), m_what(std::move(what)), m_means(std::move(means)), m_remedy(std::move(remedy)) {}

std::string Status::message() const {
    if (ok()) return "ok";
    std::string text = m_what;
    for (const std::string* part : {&m_means, &m_remedy})
        if (!part->empty()) text += "; " + *part;
    return text;
}

} // namespace tutti
