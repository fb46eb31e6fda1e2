// SPDX-License-Identifier: MIT
// fault 12: a memory order too weak in the ring of blocks: model-checked, and each order weakened in turn is found
// fault 14: the ring's numbers wrap: checked across 2^32
#include "tests/model/model.h"

#include "engine/stream/ring.h"

using namespace tutti;

namespace {

struct Test : rl::test_suite<Test, 2> {
    static constexpr std::uint32_t k_first = 0xfffffffeu;
    engine::BlockRing<model::Atomic, model::Watched<float>> ring;
    void before() { ring.prepare(2, 1, 1, k_first); }
    void thread(unsigned index) {
        if (index == 0) {
            for (int block = 1; block <= 3; ++block) {
                for (int tries = 0; ring.full(); ++tries) {
                    if (tries == 20) return;
                    rl::yield(1, $);
                }
                ring.channel_to_write(0)[0] = static_cast<float>(block);
                ring.publish();
            }
        } else {
            for (std::uint32_t block = 0; block < 3; ++block) {
                const model::Watched<float>* sample = nullptr;
                for (int tries = 0; (sample = ring.channel_to_read(k_first + block, 0)) == nullptr; ++tries) {
                    if (tries == 20) return;
                    rl::yield(1, $);
                }
                RL_ASSERT(static_cast<float>(*sample) == static_cast<float>(block + 1));
                ring.release_before(k_first + block + 1);
            }
        }
    }
};

} // namespace

int main() {
    return model::check<Test>("block ring", 100000, 3);
}
