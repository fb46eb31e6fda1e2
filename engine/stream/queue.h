// SPDX-License-Identifier: MIT
// The event queue of one stream: moodycamel's queue, explicit producers only, bounded by our own counter.
#pragma once

#if __has_include(<concurrentqueue/concurrentqueue.h>)
#include <concurrentqueue/concurrentqueue.h>
#else
#include <concurrentqueue.h>
#endif

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>

#include <tutti/event.h>

#include "engine/memory/memory.h"
#include "engine/stream/closed_frame.h"

namespace tutti::engine {

// An event on its way. `object` belongs to the internal types: a prepared instance, clip or tuning table.
struct Item {
    Event event;
    std::uint32_t serial = 0;
    std::uint16_t sender = 0;
    bool stamped = false; // was k_asap: its frame was given at posting, so it is never called late
    void* object = nullptr;

    // True where `a` takes effect after `b` (the order of a heap whose top is the earliest).
    static bool later(const Item& a, const Item& b) noexcept {
        if (a.event.frame != b.event.frame) return a.event.frame > b.event.frame;
        if (a.sender != b.sender) return a.sender > b.sender;
        return static_cast<std::int32_t>(a.serial - b.serial) > 0;
    }
};

// try_enqueue of an explicit producer fails rather than allocates where its block index is full: 64 x 1,024 = 65,536 events,
// the most that StreamConfig::events may ask for.
struct QueueTraits : moodycamel::ConcurrentQueueDefaultTraits {
    static const std::size_t BLOCK_SIZE = 64;
    static const std::size_t EXPLICIT_INITIAL_INDEX_SIZE = 1024;
    // Asked for when the queue and its producers are made, and never by try_enqueue. All of it is touched here, so that no post
    // is the first to: that would be a page fault in a callback. [control]
    static void* malloc(std::size_t size) noexcept {
        auto* const memory = static_cast<volatile char*>(take_block_or_null(size));
        for (std::size_t i = 0; memory != nullptr && i < size; i += 512)
            memory[i] = 0;
        return const_cast<char*>(memory);
    }
    static void free(void* block) noexcept { give_block(block); }
};

// Waiting events, drained or not, are at most `limit`: the consumer calls done() for each that has taken effect.
class EventQueue {
public:
    // Events of sender 0, the engine's own, that may wait besides.
    static constexpr int k_own_events = 256;
    static std::size_t most_waiting(int limit) noexcept { return static_cast<std::size_t>(limit + k_own_events); }
    using Moody = moodycamel::ConcurrentQueue<Item, QueueTraits>;

    EventQueue(int limit, int senders)
        : m_moody(most_waiting(limit), static_cast<std::size_t>(senders), 0), m_limit(limit),
          m_used(static_cast<std::size_t>(senders), false) {
        m_consumer.emplace(m_moody);
        if (block_was_refused()) throw std::bad_alloc();
    }

    // One producer; its number is the lowest that is free, 0 the engine's own. [control]
    class Producer : public FromMemory {
    public:
        Producer(EventQueue& queue, int number)
            : m_queue(queue), m_token(queue.m_moody), m_limit(queue.m_limit + (number == 0 ? k_own_events : 0)),
              m_number(static_cast<std::uint16_t>(number)) {
            if (block_was_refused()) throw std::bad_alloc();
        }
        ~Producer() {
            const std::lock_guard lock(m_queue.m_mutex);
            m_queue.m_used[m_number] = false;
        }
        Producer(const Producer&) = delete;
        Producer& operator=(const Producer&) = delete;

        // false: full; dropped and counted. [audio]
        bool post(const Event& event, void* object = nullptr) noexcept TUTTI_NONBLOCKING {
            Item item{event, 0, m_number, event.frame < 0, object};
            if (item.stamped) item.event.frame = m_queue.m_closed.stamp();
            // Relaxed: the counter only bounds how many wait, the queue itself publishes the items.
            if (m_queue.m_waiting.fetch_add(1, std::memory_order_relaxed) >= m_limit) return refuse();
            item.serial = m_serial;
            if (!m_queue.m_moody.try_enqueue(m_token, item)) return refuse();
            ++m_serial;
            return true;
        }

    private:
        bool refuse() noexcept {
            m_queue.m_waiting.fetch_sub(1, std::memory_order_relaxed);
            m_queue.m_dropped.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
        EventQueue& m_queue;
        moodycamel::ProducerToken m_token;
        std::uint32_t m_serial = 0;
        const int m_limit;
        const std::uint16_t m_number;
    };

    // nullptr: all senders are in use. [control]
    std::unique_ptr<Producer> make_producer() {
        int number = -1;
        {
            const std::lock_guard lock(m_mutex);
            for (std::size_t i = 0; i < m_used.size() && number < 0; ++i)
                if (!m_used[i]) number = static_cast<int>(i);
            if (number < 0) return nullptr;
            m_used[static_cast<std::size_t>(number)] = true;
        }
        return std::make_unique<Producer>(*this, number);
    }

    // The next item in any order; the renderer sorts. [render]
    bool take(Item& item) noexcept TUTTI_NONBLOCKING { return m_moody.try_dequeue(*m_consumer, item); }
    void done(int count) noexcept TUTTI_NONBLOCKING { m_waiting.fetch_sub(count, std::memory_order_relaxed); }

    // Closes the input up to `frame`. [audio]
    void close(std::int64_t frame) noexcept TUTTI_NONBLOCKING { m_closed.close(frame); }
    std::int64_t closed() const noexcept TUTTI_NONBLOCKING { return m_closed.get(); }
    std::int64_t dropped() const noexcept TUTTI_NONBLOCKING { return m_dropped.load(std::memory_order_relaxed); }
    // False where all that wait are the `held` ones that take() has given out already. What a thread has posted before it closed
    // a frame is seen by whoever sees the frame closed: the counter rises before the item is there. [render]
    bool has_more_than(std::size_t held) const noexcept TUTTI_NONBLOCKING { return waiting() > static_cast<int>(held); }
    int waiting() const noexcept TUTTI_NONBLOCKING { return m_waiting.load(std::memory_order_relaxed); }

private:
    static_assert(std::atomic<std::int64_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);
    Moody m_moody;
    std::optional<moodycamel::ConsumerToken> m_consumer; // [render]
    const int m_limit;
    std::mutex m_mutex; // of m_used [control]
    Vector<bool> m_used;
    ClosedFrame<> m_closed; // written by the puller
    alignas(64) std::atomic<int> m_waiting{0};
    std::atomic<std::int64_t> m_dropped{0};
};

} // namespace tutti::engine
