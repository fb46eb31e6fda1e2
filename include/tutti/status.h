// SPDX-License-Identifier: MIT
// The outcome of a control call: what happened, what it means, what to do.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

#include <tutti/platform.h>

namespace tutti {

enum class Code : int {
    ok = 0,
    // The caller's words.
    invalid_argument = 100,
    out_of_range = 101,
    not_found = 102,
    unsupported = 103,
    // Files and data.
    file_not_found = 200,
    file_unreadable = 201,
    file_unwritable = 202,
    malformed = 203,
    truncated = 204,
    too_large = 205,
    // State.
    wrong_state = 300,
    full = 301,
    cancelled = 302,
    out_of_memory = 303,
    deadline = 304,
    // Devices and backends.
    no_device = 400,
    device_failed = 401,
    backend_failed = 402,
    internal = 900,
};

// The constant's name, e.g. "file_not_found". [any]
TUTTI_API const char* code_name(Code code) noexcept;

// One line each: `what` happened, what it `means` for the sound or the result, what to do (`remedy`).
// A Status that is not ok has all three. Control side only: it holds strings.
class [[nodiscard]] TUTTI_API Status {
public:
    // Success, or the three parts. [control]
    Status() = default;
    Status(Code code, std::string what, std::string means, std::string remedy);

    // The parts. [any]
    bool ok() const noexcept { return m_code == Code::ok; }
    explicit operator bool() const noexcept { return ok(); }
    Code code() const noexcept { return m_code; }
    const std::string& what() const noexcept { return m_what; }
    const std::string& means() const noexcept { return m_means; }
    const std::string& remedy() const noexcept { return m_remedy; }

    // "what; means; remedy" on one line, "ok" for success. [control]
    std::string message() const;

private:
    Code m_code = Code::ok;
    std::string m_what;
    std::string m_means;
    std::string m_remedy;
};

// A value, or the Status that says why there is none. Control side only.
template <class T>
class [[nodiscard]] Result {
public:
    // From a value, or from a Status that is not ok. [control]
    Result(T value) : m_value(std::move(value)) {}
    Result(Status status) : m_status(std::move(status)) { assert(!m_status.ok()); }

    // [any]
    bool ok() const noexcept { return m_value.has_value(); }
    explicit operator bool() const noexcept { return ok(); }
    const Status& status() const noexcept { return m_status; }
    // The value; only where ok(). [any]
    T& value() & {
        assert(ok());
        return *m_value;
    }
    const T& value() const& {
        assert(ok());
        return *m_value;
    }
    T&& value() && {
        assert(ok());
        return std::move(*m_value);
    }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }

private:
    Status m_status;
    std::optional<T> m_value;
};

} // namespace tutti
