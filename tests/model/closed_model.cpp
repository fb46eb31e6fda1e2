// SPDX-License-Identifier: MIT
// fault 12: a memory order too weak in the closed frame: its events are seen with it, a stamped one never before its frame, each order weakened in turn is found
#include "tests/model/model.h"

#include "engine/stream/closed_frame.h"

using namespace tutti;

namespace {

// The puller posts (a slot stands for the queue), closes, and the renderer reads what is closed.
struct Events : rl::test_suite<Events, 2> {
    engine::ClosedFrame<model::Atomic> closed;
    model::Watched<int> slot[3];
    void thread(unsigned index) {
        if (index == 0) {
            for (int frame = 1; frame <= 2; ++frame) {
                slot[frame] = 10 * frame;
                closed.close(frame);
            }
        } else {
            const auto frame = static_cast<int>(closed.get());
            if (frame > 0) RL_ASSERT(slot[frame] == 10 * frame);
        }
    }
};

// A third thread stamps an event and hands it over as the queue does: whoever takes it sees its frame closed.
struct Stamped : rl::test_suite<Stamped, 3> {
    engine::ClosedFrame<model::Atomic> closed;
    model::Watched<int> stamp;
    std::unique_ptr<rl::atomic<int>> posted;
    void before() {
        posted = std::make_unique<rl::atomic<int>>();
        posted->store(0, rl::mo_relaxed, $);
    }
    void after() { posted.reset(); }
    void thread(unsigned index) {
        if (index == 0) {
            closed.close(1);
            closed.close(2);
        } else if (index == 1) {
            stamp = static_cast<int>(closed.stamp());
            posted->store(1, rl::mo_release, $);
        } else if (posted->load(rl::mo_acquire, $) == 1) {
            RL_ASSERT(closed.get() >= static_cast<int>(stamp));
        }
    }
};

} // namespace

int main() {
    return model::check<Events, Stamped>("closed frame", 100000, 3);
}
