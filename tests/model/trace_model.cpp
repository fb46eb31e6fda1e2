// SPDX-License-Identifier: MIT
// fault 12: a memory order too weak in the ring of trace events: model-checked, and each order weakened in turn is found
#include "tests/model/model.h"

#include "engine/trace/ring.h"

using namespace tutti;

namespace {

struct Test : rl::test_suite<Test, 2> {
    trace::TraceRing<model::Atomic, model::Watched<int>> ring{2};
    void thread(unsigned index) {
        if (index == 0) {
            for (int i = 1; i <= 4; ++i)
                ring.write(i); // what does not fit is dropped
        } else {
            int last = 0;
            for (int look = 0; look < 3; ++look)
                ring.read([&](const model::Watched<int>& event) {
                    RL_ASSERT(event > last);
                    last = event;
                });
        }
    }
};

} // namespace

int main() {
    return model::check<Test>("trace ring", 100000, 3);
}
