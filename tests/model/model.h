// SPDX-License-Identifier: MIT
// What a model check is made of: an atomic type that relacy interprets, and that weakens the order of one place at a time.
//
// relacy (Dmitry Vyukov) runs threads as fibres under schedules of its own and lets each load see every value that the C++
// memory model allows. A structure is checked as it is written; then once for each place where an order stronger than relaxed
// stands, with that order one step weaker: the check must fail, else either the order or the check is not needed.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <source_location>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

#include <relacy/relacy.hpp>

// relacy gives these names a meaning of its own; what is checked here says it to the atomic type instead.
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef errno
#undef new
#undef delete

namespace tutti::model {

enum class Kind { load, store, change };

// Nothing here may use the heap while a check runs: it is relacy's then.
struct Places {
    struct Place {
        unsigned line = 0, column = 0;
        const char* file = "";
        Kind kind = Kind::load;
        bool is(const std::source_location& where) const { return line == where.line() && column == where.column(); }
    };
    static constexpr std::size_t k_most = 64;
    std::array<Place, k_most> seen;
    std::size_t count = 0;
    std::size_t weak = k_most; // number of the place whose turn it is
    static Places& get() {
        static Places places;
        return places;
    }
    std::size_t find(const std::source_location& where, Kind kind) {
        for (std::size_t i = 0; i < count; ++i)
            if (seen[i].is(where)) return i;
        if (count == k_most) std::abort();
        seen[count] = {where.line(), where.column(), where.file_name(), kind};
        return count++;
    }
};

inline rl::memory_order translate(std::memory_order order) {
    switch (order) {
    case std::memory_order_relaxed:
        return rl::mo_relaxed;
    case std::memory_order_consume:
    case std::memory_order_acquire:
        return rl::mo_acquire;
    case std::memory_order_release:
        return rl::mo_release;
    case std::memory_order_acq_rel:
        return rl::mo_acq_rel;
    case std::memory_order_seq_cst:
        break;
    }
    return rl::mo_seq_cst;
}

// The order that is used at this place: one step weaker where it is this place's turn.
inline rl::memory_order order_at(Kind kind, std::memory_order order, const std::source_location& where) {
    Places& places = Places::get();
    if (order == std::memory_order_relaxed || places.find(where, kind) != places.weak) return translate(order);
    if (order == std::memory_order_seq_cst)
        return kind == Kind::load ? rl::mo_acquire : kind == Kind::store ? rl::mo_release : rl::mo_acq_rel;
    return rl::mo_relaxed;
}

template <class T>
class Atomic {
    // relacy knows no pointers to what is const.
    template <class Value>
    struct Mutable {
        using Type = Value;
        static Type of(Value value) { return value; }
    };
    template <class Value>
    struct Mutable<const Value*> {
        using Type = Value*;
        static Type of(const Value* value) { return const_cast<Value*>(value); }
    };
    using Held = typename Mutable<T>::Type;

public:
    Atomic() { m_atomic.store(Held(), rl::mo_relaxed, $); }
    Atomic(T value) { m_atomic.store(Mutable<T>::of(value), rl::mo_relaxed, $); }

    using Where = std::source_location;
    T load(std::memory_order order, Where where = Where::current()) const {
        return m_atomic.load(order_at(Kind::load, order, where), $);
    }
    void store(T value, std::memory_order order, Where where = Where::current()) {
        m_atomic.store(Mutable<T>::of(value), order_at(Kind::store, order, where), $);
    }
    T fetch_add(T value, std::memory_order order, Where where = Where::current()) {
        return m_atomic.rmw(rl::rmw_type_t<rl::rmw_type_add>(), value, order_at(Kind::change, order, where), $);
    }
    T fetch_sub(T value, std::memory_order order, Where where = Where::current()) {
        return m_atomic.rmw(rl::rmw_type_t<rl::rmw_type_sub>(), value, order_at(Kind::change, order, where), $);
    }
    bool compare_exchange_weak(T& expected, T value, std::memory_order success, std::memory_order failure,
                               Where where = Where::current()) {
        return m_atomic.compare_exchange_weak(expected, value, order_at(Kind::change, success, where), $,
                                              translate(failure), $);
    }

private:
    mutable rl::atomic<Held> m_atomic;
};

// A plain value whose every touch relacy watches: two threads at once on it are a race.
template <class T>
class Watched {
public:
    Watched() { m_value($) = T(); }
    Watched(T value) { m_value($) = value; }
    Watched(const Watched& other) { m_value($) = T(other); }
    Watched& operator=(const Watched& other) {
        m_value($) = T(other);
        return *this;
    }
    Watched& operator=(T value) {
        m_value($) = value;
        return *this;
    }
    operator T() const { return m_value($); }

private:
    mutable rl::var<T> m_value;
};

// What relacy says, without the heap.
class Said : public std::streambuf {
public:
    Said() { clear(); }
    void clear() { setp(m_text.data(), m_text.data() + m_text.size()); }
    std::string_view text() const { return {pbase(), static_cast<std::size_t>(pptr() - pbase())}; }

private:
    int overflow(int c) override { return c; }
    std::array<char, 1 << 16> m_text;
};

// Runs `Test` under random schedules and under all schedules of at most `bound` forced switches.
template <class Test>
bool holds(unsigned schedules, unsigned bound, bool tell = false) {
    static Said said;
    said.clear();
    std::ostream stream(&said);
    rl::test_params parameters;
    parameters.search_type = rl::random_scheduler_type;
    parameters.iteration_count = schedules;
    parameters.execution_depth_limit = 4000;
    parameters.output_stream = parameters.progress_stream = &stream;
    bool good = rl::simulate<Test>(parameters);
    if (good && bound > 0) {
        parameters.search_type = rl::fair_context_bound_scheduler_type;
        parameters.context_bound = bound;
        good = rl::simulate<Test>(parameters);
    }
    if (!good && tell) std::printf("%.*s\n", static_cast<int>(said.text().size()), said.text().data());
    return good;
}

// The checks of one structure, then their red controls: one of them must fail. Prints what it did; returns what main() returns.
template <class... Tests>
int check(const char* name, unsigned schedules, unsigned bound) {
    Places& places = Places::get();
    if (!(holds<Tests>(schedules, bound, true) && ...)) {
        std::printf("%s: does not hold\n", name);
        return 1;
    }
    std::printf("%s: holds under %u random schedules and all of at most %u switches\n", name, schedules, bound);
    int wrong = 0;
    const std::size_t count = places.count;
    static constexpr const char* k_kinds[] = {"load", "store", "change"};
    for (std::size_t i = 0; i < count; ++i) {
        const Places::Place& place = places.seen[i];
        places.weak = i;
        const bool missed = (holds<Tests>(schedules, bound) && ...);
        const std::string file = place.file;
        std::printf("  weaker %s at %s:%u: %s\n", k_kinds[static_cast<int>(place.kind)],
                    file.substr(file.rfind('/') + 1).c_str(), place.line, missed ? "NOT FOUND" : "found");
        wrong += missed;
    }
    places.weak = Places::k_most;
    if (count == 0) std::printf("  no order was weakened: nothing was checked\n");
    return wrong == 0 && count > 0 ? 0 : 1;
}

} // namespace tutti::model
