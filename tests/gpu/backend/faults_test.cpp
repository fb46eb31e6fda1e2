// SPDX-License-Identifier: MIT
// Faults at 10,000 random calls of the device: no crash, no lost event, and the bits of a run without a device. TUTTI_FAULTS says how
// many, TUTTI_FAULTS_SEED which ones: in pieces, where a sanitizer makes each run ten times as long.
#include <cstdlib>

#include "tests/gpu/backend/rig.h"

using namespace tutti;

TEST_CASE("faults at random calls") {
    constexpr int k_frames = 640;
    const auto reference = rig::play(*rig::make_reference(), "subtractive", k_frames, 64, 3);
    const char* const asked = std::getenv("TUTTI_FAULTS");
    const int faults = asked != nullptr ? std::atoi(asked) : 10000;
    const char* const seed = std::getenv("TUTTI_FAULTS_SEED");
    std::uint64_t random = seed != nullptr ? static_cast<std::uint64_t>(std::atoll(seed)) : 20;
    MESSAGE("seed " << random);
    int lost = 0, runs = 0;
    auto config = rig::small_config();
    config.rows = 24;
    config.banks = 4;
    config.edits = 256;
    config.deltas = 512;
    for (int i = 0; lost < faults && i < 20 * faults; ++i, ++runs) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        // 24 calls make the backend; a run has some hundred.
        const std::int64_t when = 24 + static_cast<std::int64_t>((random >> 33) % 80);
        int given = 0;
        gpu::SimulatedOptions options;
        options.seed = random;
        options.fault = [&given, when](std::int64_t call) {
            if (call != when) return 0;
            given = 1;
            return int(gpu::simulated_fault);
        };
        engine::Hooks hooks = engine::default_hooks();
        bool first = true;
        hooks.make_backend = [&](const EngineConfig&, int) -> Result<std::unique_ptr<engine::Backend>> {
            // The engine asks once for the name; the stream's is the one that counts.
            if (std::exchange(first, false)) return engine::make_cpu_backend(1, engine::Isa::scalar);
            auto made = gpu::DeviceBackend::make(gpu::make_simulated_device(options),
                                                 engine::make_cpu_backend(1, engine::Isa::scalar), config);
            if (!made) return made.status();
            return std::unique_ptr<engine::Backend>(std::move(*made));
        };
        auto engine = engine::create_engine({.threads = 1}, hooks).value();
        const auto take = rig::play(*engine, "subtractive", k_frames, 64, 3);
        lost += given;
        if (!(take == reference) || take.stats.voices != reference.stats.voices || take.stats.dropped_events != 0) {
            CAPTURE(i);
            CAPTURE(when);
            CHECK(take == reference);
            CHECK(take.stats.voices == reference.stats.voices);
            break;
        }
    }
    CHECK(lost == faults);
    MESSAGE(runs << " runs, " << lost << " faults given");
}
