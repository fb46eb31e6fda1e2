// SPDX-License-Identifier: MIT
// fault 12: a memory order too weak in the list of streams: nothing is counted twice or left out, nothing is looked at after it was freed, each order weakened in turn is found
// Before relacy gives names of theirs a meaning of its own.
#include <mutex>
#include <thread>

#include "tests/model/model.h"

#include "engine/stream/walked_list.h"

using namespace tutti;

namespace {

struct Pause {
    static void pause() noexcept { rl::yield(1, $); }
};

constexpr int k_freed = -1000;

struct Item {
    model::Watched<int> count; // what it has counted
    model::Watched<int> id;
    int number() const noexcept { return id; }
    void free() { // another thread that looks now, or later, is found
        count = k_freed;
        id = k_freed;
    }
};

// The sums of what has gone lie in places of the test's own, so that a look at a freed one is seen.
struct Sums;
Sums* g_sums = nullptr;
struct Sums {
    static constexpr int k_most = 6;
    model::Watched<int> value[k_most];
    int used = 0;
};
struct Sum {
    int place;
    Sum() : place(g_sums->used++) { g_sums->value[place] = 0; }
    Sum(const Sum& other) : place(g_sums->used++) {
        g_sums->value[place] = static_cast<int>(g_sums->value[other.place]);
    }
    ~Sum() { g_sums->value[place] = k_freed; }
};

template <class Derived, unsigned k_walkers>
struct Walks : rl::test_suite<Derived, 1 + k_walkers> {
    using List = engine::WalkedList<Item, Sum, model::Atomic, Pause>;
    Sums sums;
    Item items[3];
    std::unique_ptr<List> list;

    void before() {
        g_sums = &sums;
        list = std::make_unique<List>();
        for (int i = 0; i < 3; ++i)
            items[i].id = i + 1;
        items[0].count = 10;
        list->add(items[0]);
    }
    void after() { list.reset(); }
    void remove(int index) {
        list->remove(items[index], [&](Sum& sum) {
            sums.value[sum.place] = static_cast<int>(sums.value[sum.place]) + static_cast<int>(items[index].count);
        });
        items[index].free();
    }
    void add(int index) {
        items[index].count = 100;
        list->add(items[index]);
    }
    // What a walker may see: `first` always, and the second where it has been added.
    int look() {
        int sum = 0;
        list->walk([&](const Sum& gone) { sum = sums.value[gone.place]; },
                   [&](const Item& item) { sum += item.count; });
        return sum;
    }
};

// One goes while others look.
struct Leaving : Walks<Leaving, 1> {
    void thread(unsigned index) {
        if (index == 0) {
            remove(0);
        } else {
            RL_ASSERT(look() == 10);
            RL_ASSERT(look() == 10);
        }
    }
};
// One comes, in a place of its own, and goes.
struct Coming : Walks<Coming, 1> {
    void thread(unsigned index) {
        if (index == 0) {
            add(1);
            remove(1);
        } else {
            const int sum = look();
            RL_ASSERT(sum == 10 || sum == 110);
        }
    }
};
// One goes, another takes its place.
struct Changing : Walks<Changing, 1> {
    void thread(unsigned index) {
        if (index == 0) {
            remove(0);
            add(1);
        } else {
            const int sum = look();
            RL_ASSERT(sum == 10 || sum == 110);
        }
    }
};
// Two look, so that one's counting out is another's counting in.
struct Two : Walks<Two, 2> {
    void thread(unsigned index) {
        if (index == 0)
            remove(0);
        else
            RL_ASSERT(look() == 10);
    }
};

} // namespace

int main() {
    return model::check<Leaving, Coming, Changing, Two>("list of streams", 100000, 2);
}
