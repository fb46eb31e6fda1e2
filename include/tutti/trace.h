// SPDX-License-Identifier: MIT
// Where time goes: spans, instants and counters of every thread, as Trace Event JSON for Perfetto and chrome://tracing.
//
//     tutti::trace::start();
//     { const tutti::trace::Span span("load"); load(); }
//     auto told = tutti::trace::stop("out.json");
//
// Each thread writes to a ring of its own that was made at start: no lock, no allocation, no system call. A collector thread
// empties the rings. While nothing records, a span is one load and one branch. Names are string literals: only their address is
// kept. Built with TUTTI_TRACE=nvtx or =tracy, the same spans also go to NVIDIA Nsight or Tracy, started or not.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <tutti/platform.h>
#include <tutti/status.h>

namespace tutti::trace {

struct Config {
    std::int64_t most_events = 4'000'000; // kept in all, 32 bytes each; later ones are dropped and counted
};

struct Summary {
    std::int64_t events = 0;
    std::int64_t dropped = 0; // a ring or the whole was full, or there were more threads than rings
    int threads = 0;          // that recorded
    double seconds = 0.0;     // from start to stop
};

// Begins to record. Errors: wrong_state (it records already), out_of_range, out_of_memory. [control]
TUTTI_API Status start(const Config& config = {});
// Ends, and writes what was recorded; an empty path throws it away. Errors: wrong_state, file_unwritable. [control]
TUTTI_API Result<Summary> stop(const std::string& path);

constexpr std::int32_t k_no_number = INT32_MIN;

namespace detail {
// Bit 0: the recorder is on; bit 1: an outside profiler is built in.
TUTTI_API extern std::atomic<std::uint32_t> g_on;
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
TUTTI_API std::uint64_t begin(const char* name) noexcept TUTTI_NONBLOCKING;
TUTTI_API std::uint64_t end(const char* name, std::uint64_t begin, std::int32_t number) noexcept TUTTI_NONBLOCKING;
TUTTI_API std::uint64_t next(const char* name, std::uint64_t begin, std::int32_t number,
                             const char* follower) noexcept TUTTI_NONBLOCKING;
TUTTI_API void instant(const char* name, std::int32_t number) noexcept TUTTI_NONBLOCKING;
TUTTI_API void counter(const char* name, double value, std::int32_t number) noexcept TUTTI_NONBLOCKING;
} // namespace detail

// True while spans go anywhere. Relaxed: a span more or less at the edge does not matter. [any]
inline bool on() noexcept TUTTI_NONBLOCKING {
    return detail::g_on.load(std::memory_order_relaxed) != 0;
}

// What this thread is called in the trace. [any]
TUTTI_API void name_thread(const char* name) noexcept TUTTI_NONBLOCKING;

// From here to the end of the scope. `number` stands beside the name: a part, a stream. [any]
class Span {
public:
    explicit Span(const char* name, std::int32_t number = k_no_number) noexcept TUTTI_NONBLOCKING : m_number(number) {
        if (!on()) return;
        m_name = name;
        m_begin = detail::begin(name);
    }
    ~Span() {
        if (m_name != nullptr) detail::end(m_name, m_begin, m_number);
    }
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

private:
    const char* m_name = nullptr;
    std::uint64_t m_begin = 0;
    std::int32_t m_number;
};

// Spans one after the other that share their borders: one look at the clock for each. [any]
class Stages {
public:
    Stages() noexcept = default;
    explicit Stages(const char* first) noexcept TUTTI_NONBLOCKING { next(first); }
    ~Stages() { end(); }
    Stages(const Stages&) = delete;
    Stages& operator=(const Stages&) = delete;

    // Ends the stage before, if there is one, and begins the next. [any]
    void next(const char* name, std::int32_t number = k_no_number) noexcept TUTTI_NONBLOCKING {
        if (m_name != nullptr)
            m_begin = detail::next(m_name, m_begin, m_number, name);
        else if (on())
            m_begin = detail::begin(name);
        else
            return;
        m_name = name;
        m_number = number;
    }
    // Ends the last stage; the destructor does it, too. [any]
    void end() noexcept TUTTI_NONBLOCKING {
        if (m_name != nullptr) detail::end(m_name, m_begin, m_number);
        m_name = nullptr;
    }

private:
    const char* m_name = nullptr;
    std::uint64_t m_begin = 0;
    std::int32_t m_number = k_no_number;
};

// A moment: a late block. [any]
inline void instant(const char* name, std::int32_t number = k_no_number) noexcept TUTTI_NONBLOCKING {
    if (on()) detail::instant(name, number);
}
// A number over time: voices, blocks in the ring. `number` tells those of one name apart. [any]
inline void counter(const char* name, double value, std::int32_t number = k_no_number) noexcept TUTTI_NONBLOCKING {
    if (on()) detail::counter(name, value, number);
}

} // namespace tutti::trace
