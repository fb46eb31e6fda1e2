// SPDX-License-Identifier: MIT
// A list that any thread walks without a lock while others add to it and take away, and sums that never count anything twice.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

namespace tutti::engine {

struct YieldThread {
    static void pause() noexcept { std::this_thread::yield(); }
};

// Items have a number() of their own, never given twice. Places are never freed, only used again. What items that went have
// counted stands in one object that is replaced whole; it names the item that went last, which may still be in its place. So a
// walker begins anew only where an item has gone completely meanwhile, whatever another thread is held up in. What a walker may
// still look at is freed by the control side after all walkers of that moment have left (read-copy-update with two counters).
// The types are parameters for the model checker.
template <class Item, class Sum, template <class> class Atomic = std::atomic, class Wait = YieldThread>
class WalkedList {
public:
    WalkedList() : m_gone(new Gone) {}
    WalkedList(const WalkedList&) = delete;
    WalkedList& operator=(const WalkedList&) = delete;
    ~WalkedList() {
        delete m_gone.load(std::memory_order_relaxed);
        for (Place* place = m_first.load(std::memory_order_relaxed); place != nullptr;)
            delete std::exchange(place, place->next);
    }

    // Throws std::bad_alloc. [control]
    void add(const Item& item) {
        const std::lock_guard lock(m_mutex);
        for (Place* place = m_first.load(std::memory_order_relaxed); place != nullptr; place = place->next) {
            if (place->item.load(std::memory_order_relaxed) != nullptr) continue;
            place->item.store(&item, std::memory_order_release); // the item is whole before it is seen
            return;
        }
        auto* const place = new Place;
        place->item.store(&item, std::memory_order_relaxed);
        place->next = m_first.load(std::memory_order_relaxed);
        m_first.store(place, std::memory_order_release); // the place is whole before it is seen
    }
    // Nobody changes the item any more; `fold(sum)` adds what it has counted. No walker looks at it afterwards. [control]
    template <class Fold>
    void remove(const Item& item, Fold&& fold) {
        const std::lock_guard lock(m_mutex);
        for (Place* place = m_first.load(std::memory_order_relaxed); place != nullptr; place = place->next) {
            if (place->item.load(std::memory_order_relaxed) != &item) continue;
            const Gone* const old = m_gone.load(std::memory_order_relaxed);
            auto* const gone = new Gone(*old);
            fold(gone->sum);
            gone->last = item.number();
            // Sequentially consistent, as are the walkers' counters: who counts itself in after wait() sees both stores.
            m_gone.store(gone, std::memory_order_seq_cst);
            place->item.store(nullptr, std::memory_order_seq_cst);
            wait_for_walkers();
            delete old;
            return;
        }
    }

    // begin(sum of what has gone), then visit(item) for each that is there; again from the beginning where one goes meanwhile,
    // at most 16 times. [any]
    template <class Begin, class Visit>
    void walk(Begin&& begin, Visit&& visit) const noexcept {
        const unsigned side =
            m_epoch.load(std::memory_order_relaxed) % 2; // an old one will do: wait_for_walkers() looks at both
        m_walkers[side].fetch_add(1, std::memory_order_seq_cst);
        for (int left = 16;;) {
            const Gone* const gone = m_gone.load(std::memory_order_seq_cst);
            begin(gone->sum);
            for (const Place* place = m_first.load(std::memory_order_acquire); place != nullptr; place = place->next) {
                const Item* const item = place->item.load(std::memory_order_seq_cst);
                if (item != nullptr && item->number() != gone->last) visit(*item);
            }
            // Relaxed: who has seen an item's place empty sees what stood there among the gone.
            if (--left == 0 || m_gone.load(std::memory_order_relaxed) == gone) break;
        }
        m_walkers[side].fetch_sub(1, std::memory_order_release); // the looks come first
    }

private:
    struct Place {
        Atomic<const Item*> item{nullptr};
        Place* next = nullptr; // never changes once the place is seen
    };
    struct Gone {
        Sum sum;
        int last = 0; // number of the item that went last
    };
    // Twice: a walker may have read the epoch before it changed and counted itself in after.
    void wait_for_walkers() noexcept {
        for (int side = 0; side < 2; ++side) {
            const unsigned old =
                m_epoch.fetch_add(1, std::memory_order_relaxed) % 2; // the counters order, this only spreads
            while (m_walkers[old].load(std::memory_order_seq_cst) != 0)
                Wait::pause();
        }
    }

    std::mutex m_mutex; // of add() and remove()
    Atomic<Place*> m_first{nullptr};
    Atomic<const Gone*> m_gone;
    Atomic<unsigned> m_epoch{0};
    mutable Atomic<int> m_walkers[2] = {0, 0};
};

} // namespace tutti::engine
