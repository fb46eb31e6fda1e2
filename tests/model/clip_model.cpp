// SPDX-License-Identifier: MIT
// fault 12: a memory order too weak in the ring of a clip that is written while it plays: model-checked, and each order weakened in turn is found
#include "tests/model/model.h"

#include "engine/clip/clip_ring.h"

using namespace tutti;

namespace {

struct Test : rl::test_suite<Test, 2> {
    static constexpr int k_frames = 3;
    engine::ClipRing<model::Atomic, std::vector<model::Watched<float>>> ring;
    void before() { ring.prepare(1, 2); }
    void thread(unsigned index) {
        if (index == 0) {
            for (int frame = 1; frame <= k_frames; ++frame) {
                const float value = static_cast<float>(frame);
                const float* in[] = {&value};
                for (int tries = 0; ring.write(in, 1) == 0; ++tries) {
                    if (tries == 20) return;
                    rl::yield(1, $);
                }
            }
            ring.finish();
        } else {
            std::int64_t at = 0;
            for (int tries = 0; at < k_frames; ++tries) {
                const auto look = ring.look();
                RL_ASSERT(!look.finished || look.written == k_frames);
                for (; at < look.written; ++at)
                    RL_ASSERT(ring.sample(0, at) == static_cast<float>(at + 1));
                ring.release_before(at);
                if (tries == 20) return;
                rl::yield(1, $);
            }
        }
    }
};

} // namespace

int main() {
    return model::check<Test>("clip ring", 100000, 3);
}
