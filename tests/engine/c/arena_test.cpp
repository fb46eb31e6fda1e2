// SPDX-License-Identifier: MIT
// An engine in a block of the caller's: what it takes from the heap (nothing), how much of the block, and that it gives back.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <vector>

#include <tutti/tutti.h>

#include "engine/memory/arena.h"
#include "tests/realtime/calls.h"

namespace {
// Heap calls of this thread within `work`.
template <class Work>
int calls_of(Work&& work) {
    tutti::realtime::reset_calls();
    const tutti::realtime::CallWatch watch;
    work();
    return tutti::realtime::heap_calls();
}
} // namespace

TEST_CASE("the counter counts") {
    if (!tutti::realtime::calls_count()) return;
    CHECK(calls_of([] {
              static void* volatile kept = nullptr; // so that no compiler leaves the pair out
              kept = std::malloc(10);
              std::free(kept);
          }) == 2);
    CHECK(calls_of([] { delete new std::vector<int>(5); }) == 4);
    CHECK(calls_of([] { ::operator delete (::operator new (128, std::align_val_t{64}), std::align_val_t{64}); }) == 2);
}

TEST_CASE("8 MiB hold an engine with 64 voices that never asks the heap, at create or later") {
    constexpr std::size_t k_size = std::size_t{8} << 20;
    std::vector<char> block(k_size + 128, 'x');
    std::vector<float> out(2 * 4096);
    tutti_config config = tutti_config_default();
    config.voices = 64;
    CHECK(tutti_memory_size(&config) <= k_size);
    tutti_engine* engine = nullptr;
    tutti_stats stats{};
    stats.struct_size = sizeof stats;
    int clean = 0;
    const int calls = calls_of([&] {
        if (tutti_create_in(block.data() + 1, k_size, &config, &engine) != TUTTI_OK) return;
        if (tutti_set_patch(engine, 0, "warm-pad", 0) != TUTTI_OK) return;
        if (tutti_set_patch(engine, 1, "soft-keys", 0) != TUTTI_OK) return;
        const char effects[] = "[{\"type\": \"reverb\"}, {\"type\": \"compressor\"}]";
        if (tutti_set_effects(engine, effects, sizeof effects - 1, 0) != TUTTI_OK) return;
        tutti_sender* sender = nullptr;
        if (tutti_sender_create(engine, &sender) != TUTTI_OK) return;
        for (int i = 0; i < 64; ++i)
            tutti_note_on(sender, 10 * i, i % 2, 30 + i, 0.7, i);
        for (int round = 0; round < 40; ++round) {
            for (int i = 0; i < 200; ++i) // more than fit: refused, not allocated
                tutti_note_express(sender, TUTTI_NOW, i % 2, 30 + i % 64, i % 64, TUTTI_GAIN, 0.5);
            tutti_pull_interleaved(engine, out.data(), 4096);
        }
        // Later patches go into the region, and out of it once they have rung out.
        const char* names[] = {"soft-keys", "warm-pad"};
        for (int round = 0; round < 30; ++round) {
            if (tutti_set_patch(engine, round % 4, names[round % 2], TUTTI_NOW) != TUTTI_OK) return;
            for (int i = 0; i < 4; ++i)
                tutti_pull_interleaved(engine, out.data(), 4096);
            tutti_notes_off(sender, TUTTI_NOW, TUTTI_EVERY_PART, true);
        }
        const float* both[] = {out.data(), out.data()};
        tutti_sound sound{};
        sound.struct_size = sizeof sound;
        sound.channels = 2;
        sound.samples = both;
        sound.frames = 4096;
        sound.sample_rate = 44100.0;
        tutti_clip* clip = nullptr;
        if (tutti_play(engine, 0, &sound, TUTTI_NOW, &clip) != TUTTI_OK) return;
        tutti_pull_interleaved(engine, out.data(), 4096);
        if (tutti_clip_release(clip) != TUTTI_OK) return;
        if (tutti_set_sample_rate(engine, 44100.0) != TUTTI_OK) return;
        tutti_pull_interleaved(engine, out.data(), 4096);
        tutti_get_stats(engine, &stats);
        clean = 1;
    });
    REQUIRE_MESSAGE(clean == 1, tutti_last_error(engine));
    CHECK(calls == 0);
    CHECK(stats.memory_most <= k_size);
    MESSAGE("memory: " << stats.memory_used << " used, " << stats.memory_most << " at most, of " << stats.memory_size);
    CHECK(calls_of([&] { tutti_destroy(engine); }) == 0);
    CHECK(block[0] == 'x');
    CHECK(block[k_size + 1] == 'x');
}

TEST_CASE("tutti_memory_size is enough for every config, and not much too much") {
    for (const int parts : {1, 16, 256})
        for (const int events : {16, 2048, 32768})
            for (const int senders : {1, 32})
                for (const int channels : {1, 2, 16}) {
                    CAPTURE(parts);
                    CAPTURE(events);
                    CAPTURE(senders);
                    CAPTURE(channels);
                    tutti_config config = tutti_config_default();
                    config.parts = parts;
                    config.events = events;
                    config.senders = senders;
                    config.channels = channels;
                    config.patch_bytes = 0;
                    const std::size_t size = tutti_memory_size(&config);
                    std::vector<char> block(size + 64);
                    tutti_engine* engine = nullptr;
                    REQUIRE_MESSAGE(tutti_create_in(block.data(), size, &config, &engine) == TUTTI_OK,
                                    tutti_last_error(nullptr));
                    tutti_stats stats{};
                    stats.struct_size = sizeof stats;
                    tutti_get_stats(engine, &stats);
                    CHECK(stats.memory_used > size / 2);
                    tutti_destroy(engine);
                }
}

TEST_CASE("a caller's functions get back what they gave, and no engine comes of one that fails") {
    struct Ledger {
        std::map<void*, std::size_t> open;
        int given = 0, most = 1 << 30;
        bool wrong = false;
    } ledger;
    tutti_config config = tutti_config_default();
    config.allocator.user = &ledger;
    config.allocator.allocate = [](void* user, size_t size, size_t alignment) -> void* {
        auto& to = *static_cast<Ledger*>(user);
        if (++to.given > to.most) return nullptr;
        void* const place = std::aligned_alloc(64, (size + 63) / 64 * 64);
        to.wrong = to.wrong || alignment > 64;
        to.open[place] = size;
        return place;
    };
    config.allocator.release = [](void* user, void* place, size_t size, size_t) {
        auto& to = *static_cast<Ledger*>(user);
        const auto found = to.open.find(place);
        to.wrong = to.wrong || found == to.open.end() || found->second != size;
        if (found != to.open.end()) to.open.erase(found);
        std::free(place);
    };
    tutti_engine* engine = nullptr;
    REQUIRE(tutti_create(&config, &engine) == TUTTI_OK);
    REQUIRE(tutti_set_patch(engine, 0, "warm-pad", 0) == TUTTI_OK);
    std::vector<float> out(2 * 4096);
    tutti_pull_interleaved(engine, out.data(), 4096);
    const int all = ledger.given;
    tutti_destroy(engine);
    CHECK(ledger.open.empty());
    CHECK_FALSE(ledger.wrong);
    for (int most = 0; most < all; most += most < 20 ? 1 : 7) {
        CAPTURE(most);
        ledger.given = 0;
        ledger.most = most;
        if (tutti_create(&config, &engine) == TUTTI_OK) {
            const tutti_result result = tutti_set_patch(engine, 0, "warm-pad", 0);
            CHECK(result == (ledger.given > most ? TUTTI_OUT_OF_MEMORY : TUTTI_OK));
            tutti_pull_interleaved(engine, out.data(), 4096);
            tutti_destroy(engine);
        }
        REQUIRE(ledger.open.empty());
        REQUIRE_FALSE(ledger.wrong);
    }
}

TEST_CASE("the arena joins what comes back") {
    alignas(64) static char block[64 * 100];
    tutti::engine::Arena arena(block, sizeof block);
    CHECK(arena.size() == sizeof block);
    std::vector<void*> pieces;
    for (int i = 0; i < 100; ++i)
        pieces.push_back(arena.allocate(1 + static_cast<std::size_t>(i) % 64, 16));
    CHECK_THROWS_AS(arena.allocate(1, 1), std::bad_alloc);
    for (int i = 0; i < 100; i += 2)
        arena.release(pieces[static_cast<std::size_t>(i)], 1 + static_cast<std::size_t>(i) % 64, 16);
    CHECK_THROWS_AS(arena.allocate(65, 1), std::bad_alloc);
    for (int i = 99; i > 0; i -= 2)
        arena.release(pieces[static_cast<std::size_t>(i)], 1 + static_cast<std::size_t>(i) % 64, 16);
    CHECK(arena.used() == 0);
    void* const whole = arena.allocate(sizeof block, 64);
    CHECK(whole == block);
}
