// SPDX-License-Identifier: MIT
#include <tutti/trace.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "engine/trace/outside.h"
#include "engine/trace/ring.h"
#include "engine/trace/write.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <x86intrin.h>
#define TUTTI_TRACE_TSC 1
#elif defined(_M_X64)
#include <intrin.h>
#define TUTTI_TRACE_TSC 1
#else
#define TUTTI_TRACE_TSC 0
#endif

// The thread's own data without a call that may allocate at first touch: a shared library's would.
#if defined(__GNUC__) && defined(__ELF__)
#define TUTTI_TRACE_LOCAL __attribute__((tls_model("initial-exec")))
#else
#define TUTTI_TRACE_LOCAL
#endif

namespace tutti::trace {

namespace detail {
std::atomic<std::uint32_t> g_on{outside::k_present ? 2u : 0u};
}

namespace {

constexpr int k_most_rings = 512;
constexpr int k_spare_rings = 24;              // for threads that have none yet, made at start
constexpr std::uint32_t k_ring_events = 16384; // 0.5 MB: 5 ms of a thread that does nothing but record
// Room for so many is made and touched at start: a new page costs as much as ten events, and a thread's first memory more.
constexpr std::int64_t k_events_at_start = 65536;
// Fast while a ring was found an eighth full, which it would fill in 128 ms; else the collector's own wakes are most of the cost.
constexpr auto k_collect_every = std::chrono::milliseconds(4), k_collect_when_calm = std::chrono::milliseconds(16);

std::uint64_t steady_ticks() noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
}

#if TUTTI_TRACE_TSC
// The processor's own counter costs a third of the system's clock. Only one that never changes its pace will do.
bool counter_is_steady() noexcept {
#if defined(_M_X64)
    int leaf[4];
    __cpuid(leaf, static_cast<int>(0x80000007));
    return (leaf[3] & (1 << 8)) != 0;
#else
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
#endif
}
const bool g_counter = counter_is_steady();
#endif

std::uint64_t ticks() noexcept TUTTI_NONBLOCKING {
#if TUTTI_TRACE_TSC
    if (g_counter) return __rdtsc();
#endif
    return steady_ticks();
}

using Ring = TraceRing<>;

// Rings are given to threads for good: a thread that has ended keeps its own, so no two ever write to one.
std::array<std::atomic<Ring*>, k_most_rings> g_rings{};
std::atomic<int> g_taken{0};             // rings given away, or asked for
std::atomic<std::int64_t> g_homeless{0}; // events of threads for which there was no ring

struct Local {
    Ring* ring = nullptr;
    const char* name = nullptr;
};
thread_local TUTTI_TRACE_LOCAL Local t_local;

Ring* own_ring() noexcept TUTTI_NONBLOCKING {
    Local& local = t_local;
    if (local.ring != nullptr) return local.ring;
    const int taken = g_taken.load(std::memory_order_relaxed);
    // Acquire: the ring is whole before its address is seen.
    if (taken >= k_most_rings || g_rings[static_cast<std::size_t>(taken)].load(std::memory_order_acquire) == nullptr)
        return nullptr;
    const int mine = g_taken.fetch_add(1, std::memory_order_relaxed);
    if (mine >= k_most_rings) return nullptr;
    local.ring = g_rings[static_cast<std::size_t>(mine)].load(std::memory_order_acquire);
    if (local.ring != nullptr) local.ring->name.store(local.name, std::memory_order_relaxed);
    return local.ring;
}

void record(const TraceEvent& event) noexcept TUTTI_NONBLOCKING {
    if ((detail::g_on.load(std::memory_order_relaxed) & 1u) == 0) return;
    if (Ring* const ring = own_ring())
        ring->write(event);
    else
        g_homeless.fetch_add(1, std::memory_order_relaxed);
}

// Empties the rings while it lives.
class Collector {
public:
    explicit Collector(const Config& config)
        : m_most(config.most_events), m_spare(spare_blocks(config)), m_threads(k_most_rings), m_begin(ticks()),
          m_begin_ns(steady_ticks()), m_dropped_before(dropped_in_rings()) {
        for (const auto& slot : g_rings) // what a straggler left from before
            if (Ring* const ring = slot.load(std::memory_order_acquire)) ring->read([](const TraceEvent&) {});
        m_thread = std::thread([this] { run(); });
    }
    ~Collector() { finish(); }

    void finish() {
        if (!m_thread.joinable()) return;
        {
            const std::lock_guard lock(m_mutex);
            m_stop = true;
        }
        m_wake.notify_all();
        m_thread.join();
        m_scale.begin = m_begin;
        const auto passed = static_cast<double>(steady_ticks() - m_begin_ns);
        m_seconds = passed * 1e-9;
        m_scale.ticks_per_microsecond = static_cast<double>(ticks() - m_begin) / (passed * 1e-3);
    }

    Result<Summary> write(const std::string& path) {
        Summary summary;
        summary.seconds = m_seconds;
        summary.dropped = m_overflow + g_homeless.exchange(0, std::memory_order_relaxed) +
                          static_cast<std::int64_t>(dropped_in_rings() - m_dropped_before);
        for (std::size_t i = 0; i < m_threads.size(); ++i) {
            if (m_threads[i].size() == 0) continue;
            ++summary.threads;
            summary.events += static_cast<std::int64_t>(m_threads[i].size());
            m_threads[i].name = g_rings[i].load(std::memory_order_acquire)->name.load(std::memory_order_relaxed);
        }
        if (path.empty()) return summary;
        if (Status status = write_json(path, m_threads, m_scale, summary.dropped); !status.ok()) return status;
        return summary;
    }

private:
    static std::size_t spare_blocks(const Config& config) noexcept {
        return static_cast<std::size_t>(std::min(config.most_events, k_events_at_start) / EventBlock::k_events);
    }
    static std::uint64_t dropped_in_rings() noexcept {
        std::uint64_t sum = 0;
        for (const auto& slot : g_rings)
            if (const Ring* const ring = slot.load(std::memory_order_acquire)) sum += ring->dropped();
        return sum;
    }
    void run() {
        std::unique_lock lock(m_mutex);
        bool busy = false;
        for (bool last = false; !last;) {
            last = m_wake.wait_for(lock, busy ? k_collect_every : k_collect_when_calm, [this] { return m_stop; });
            busy = collect() > k_ring_events / 8;
        }
    }
    // Returns how many events the fullest ring held.
    std::uint32_t collect() {
        std::uint32_t most = 0;
        const int taken = std::min(g_taken.load(std::memory_order_relaxed), k_most_rings);
        for (int i = 0; i < taken; ++i) {
            Ring* const ring = g_rings[static_cast<std::size_t>(i)].load(std::memory_order_acquire);
            if (ring == nullptr) continue;
            ThreadEvents& events = m_threads[static_cast<std::size_t>(i)];
            std::uint32_t held = 0;
            ring->read([&](const TraceEvent& event) {
                ++held;
                if (event.begin < m_begin) return; // begun before the trace
                if (m_kept >= m_most) {
                    ++m_overflow;
                    return;
                }
                try {
                    events.push(event, m_spare);
                    ++m_kept;
                } catch (const std::bad_alloc&) {
                    m_most = m_kept;
                    ++m_overflow;
                }
            });
            most = std::max(most, held);
        }
        return most;
    }

    std::int64_t m_most;
    std::vector<EventBlock> m_spare;
    std::vector<ThreadEvents> m_threads; // by ring
    std::uint64_t m_begin;
    std::uint64_t m_begin_ns;
    std::uint64_t m_dropped_before;
    std::int64_t m_kept = 0;
    std::int64_t m_overflow = 0;
    Scale m_scale;
    double m_seconds = 0.0;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    bool m_stop = false;
    std::thread m_thread;
};

std::mutex g_mutex; // of start and stop
std::unique_ptr<Collector> g_collector;

} // namespace

namespace detail {

std::uint64_t begin(const char* name) noexcept {
    if constexpr (outside::k_present) outside::push(name);
    return ticks();
}

std::uint64_t end(const char* name, std::uint64_t begin, std::int32_t number) noexcept {
    const std::uint64_t now = ticks();
    if constexpr (outside::k_present) outside::pop();
    record({begin, now, name, number, TraceEvent::span});
    return now;
}

std::uint64_t next(const char* name, std::uint64_t begin, std::int32_t number, const char* follower) noexcept {
    const std::uint64_t now = end(name, begin, number);
    if constexpr (outside::k_present) outside::push(follower);
    return now;
}

void instant(const char* name, std::int32_t number) noexcept {
    if constexpr (outside::k_present) outside::mark(name);
    record({ticks(), 0, name, number, TraceEvent::instant});
}

void counter(const char* name, double value, std::int32_t number) noexcept {
    if constexpr (outside::k_present) outside::plot(name, value);
    TraceEvent event{ticks(), 0, name, number, TraceEvent::counter};
    std::memcpy(&event.end, &value, sizeof value);
    record(event);
}

} // namespace detail

void name_thread(const char* name) noexcept {
    t_local.name = name;
    if (t_local.ring != nullptr) t_local.ring->name.store(name, std::memory_order_relaxed);
}

Status start(const Config& config) {
    if (config.most_events < 1 || config.most_events > 1'000'000'000)
        return Status(Code::out_of_range, "most_events is " + std::to_string(config.most_events), "nothing is recorded",
                      "choose 1..1000000000");
    const std::lock_guard lock(g_mutex);
    if (g_collector)
        return Status(Code::wrong_state, "a trace is being recorded already", "it goes on as it is",
                      "end it with stop() first");
    try {
        const int taken = g_taken.load(std::memory_order_relaxed);
        for (int i = taken; i < std::min(taken + k_spare_rings, k_most_rings); ++i)
            if (auto& slot = g_rings[static_cast<std::size_t>(i)]; slot.load(std::memory_order_relaxed) == nullptr)
                slot.store(new Ring(k_ring_events),
                           std::memory_order_release); // whole before it is seen; stays for good
        g_collector = std::make_unique<Collector>(config);
    } catch (const std::exception&) {
        return Status(Code::out_of_memory, "there is not enough memory for a trace", "nothing is recorded",
                      "close something, or go on without it");
    }
    detail::g_on.fetch_or(1u, std::memory_order_relaxed);
    return {};
}

Result<Summary> stop(const std::string& path) {
    const std::lock_guard lock(g_mutex);
    if (!g_collector)
        return Status(Code::wrong_state, "no trace is being recorded", "nothing was written", "begin one with start()");
    detail::g_on.fetch_and(~1u, std::memory_order_relaxed);
    g_collector->finish();
    const std::unique_ptr<Collector> collector = std::move(g_collector);
    try {
        return collector->write(path);
    } catch (const std::bad_alloc&) {
        return Status(Code::out_of_memory, "there is not enough memory to write the trace", "it is lost",
                      "record a shorter time");
    }
}

} // namespace tutti::trace
