// SPDX-License-Identifier: MIT
// The backend's promise: the same bits for every instruction set with FMA, every way a step is cut, every thread count.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/cpu/backend.h"
#include "engine/cpu/packing.h"
#include "tests/engine/cpu/patches.h"

using namespace tutti::harness;

namespace {

constexpr int k_slots = 40; // two and a half rows: a pair and one alone
constexpr int k_frames = 1500;

std::vector<float> play(Backend& backend, const PatchValues& patch, int quality, int channels, int channel = 0) {
    TestBank bank(patch, k_slots, 44100.0, quality, channels);
    drawn_events(bank, k_slots, k_frames, 7);
    return render(backend, bank, 0, k_frames, 1, channel);
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

double level_db(const std::vector<float>& a, const std::vector<float>& b) {
    double difference = 0.0, peak = 1e-9;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = std::max(difference, std::fabs(double(a[i]) - b[i]));
        peak = std::max(peak, std::fabs(double(b[i])));
    }
    return 20.0 * std::log10(difference / std::max(1.0, peak) + 1e-12);
}

std::vector<Isa> fused_isas() {
    std::vector<Isa> list;
    for (const Isa isa : {Isa::avx2, Isa::avx512, Isa::neon})
        if (isa_supported(isa)) list.push_back(isa);
    return list;
}

} // namespace

TEST_CASE("fault 22: SIMD unlike scalar: every instruction set with FMA gives the reference's bits") {
    const auto reference = make_cpu_backend(1, Isa::scalar);
    for (const auto& [name, patch] : module_patches())
        for (int quality = 0; quality < 3; ++quality) {
            CAPTURE(name);
            CAPTURE(quality);
            const std::vector<float> expected = play(*reference, patch, quality, 2, 1);
            REQUIRE(std::all_of(expected.begin(), expected.end(),
                                [](float x) { return std::isfinite(x) && std::fabs(x) < 50.0f; }));
            CHECK(std::any_of(expected.begin(), expected.end(), [](float x) { return std::fabs(x) > 1e-3f; }));
            for (const Isa isa : fused_isas()) {
                CAPTURE(std::string(isa_name(isa)));
                CHECK(same_bits(play(*make_cpu_backend(1, isa), patch, quality, 2, 1), expected));
            }
        }
}

TEST_CASE("SSE2, which rounds twice, stays below -100 dBFS of the reference for the first 50 ms") {
    if (!isa_supported(Isa::sse2)) return;
    const auto reference = make_cpu_backend(1, Isa::scalar);
    const auto sse2 = make_cpu_backend(1, Isa::sse2);
    for (const auto& [name, patch] : module_patches()) {
        TestBank a(patch, 16, 48000.0, 1, 1), b(patch, 16, 48000.0, 1, 1);
        for (TestBank* bank : {&a, &b})
            for (int i = 0; i < 4; ++i) {
                Note note;
                note.pitch = 48.0f + static_cast<float>(i);
                note.gain = 0.2f;
                bank->start(0, i, note);
            }
        const double off = level_db(render(*sse2, b, 0, 2400), render(*reference, a, 0, 2400));
        CAPTURE(name);
        CAPTURE(off);
        CHECK(off < (name.find("audio-rate") != std::string::npos ? -90.0 : -100.0)); // a loop, or what moves one
    }
}

TEST_CASE("Mono and stereo, fused and modular: the same voice") {
    const auto backend = make_cpu_backend(1, best_isa());
    for (const char* name : {"saw", "saw, cutoff by envelope", "saw, vibrato"})
        for (const auto& named : module_patches()) {
            if (named.name != name) continue;
            for (int quality = 0; quality < 3; ++quality)
                for (int channels = 1; channels <= 2; ++channels) {
                    TestBank fused(named.patch, k_slots, 48000.0, quality, channels);
                    TestBank modular(named.patch, k_slots, 48000.0, quality, channels);
                    modular.bank().shape |= 1ull << 63;
                    drawn_events(fused, k_slots, k_frames, 3);
                    drawn_events(modular, k_slots, k_frames, 3);
                    CHECK(same_bits(render(*backend, fused, 0, k_frames), render(*backend, modular, 0, k_frames)));
                }
        }
}

TEST_CASE("However a step is cut, the bits are the same") {
    const auto backend = make_cpu_backend(1, best_isa());
    std::mt19937 random(11);
    std::vector<NamedPatch> patches = module_patches();
    for (int i = 0; i < 30; ++i)
        patches.push_back({"drawn " + std::to_string(i), random_patch(random)});
    int turn = 0;
    for (const auto& [name, patch] : patches) {
        CAPTURE(name);
        const int quality = turn++ % 3;
        TestBank whole(patch, k_slots, 44100.0, quality, 2), cut(patch, k_slots, 44100.0, quality, 2);
        drawn_events(whole, k_slots, k_frames, 5);
        drawn_events(cut, k_slots, k_frames, 5);
        const auto expected = render(*backend, whole, 0, k_frames);
        CHECK(same_bits(render(*backend, cut, 0, k_frames, [&] { return 1 + static_cast<int>(random() % 20); }),
                        expected));
    }
}

TEST_CASE("fault 23: a voice hears its neighbours: alone and in any company its bits are the same") {
    const auto backend = make_cpu_backend(1, best_isa());
    std::mt19937 random(23);
    std::vector<NamedPatch> patches = module_patches();
    for (int i = 0; i < 20; ++i)
        patches.push_back({"drawn " + std::to_string(i), random_patch(random)});
    for (const auto& [name, patch] : patches) {
        CAPTURE(name);
        // Slot 5 alone, and slot 5 among others whose gain is 0.
        TestBank alone(patch, 16, 48000.0, 1, 1), among(patch, 16, 48000.0, 1, 1);
        drawn_events(alone, 16, k_frames, 9, 1u << 5);
        drawn_events(among, 16, k_frames, 9);
        TestBank others(patch, 16, 48000.0, 1, 1);
        drawn_events(others, 16, k_frames, 9, 0xffffu & ~(1u << 5));
        const auto a = render(*backend, alone, 0, k_frames), b = render(*backend, among, 0, k_frames);
        std::vector<float> fields_a, fields_b;
        for (int f = 0; f < patch.type->field_count; ++f) {
            fields_a.push_back(alone.bank().rows[0].fields[f * 16 + 5]);
            fields_b.push_back(among.bank().rows[0].fields[f * 16 + 5]);
        }
        CHECK(same_bits(fields_a, fields_b));
    }
}

TEST_CASE("Two and three threads give the bits of one") {
    for (const int slots : {16, 600, 3000}) {
        PatchValues patch;
        std::vector<float> expected;
        for (const int threads : {1, 2, 3}) {
            const auto backend = make_cpu_backend(threads, best_isa());
            TestBank bank(patch, slots, 48000.0, 0, 2);
            for (int i = 0; i < slots; ++i) {
                Note note;
                note.pitch = 30.0f + static_cast<float>(i % 50);
                note.gain = 0.01f;
                note.seed = static_cast<std::uint32_t>(i);
                bank.start(i % 64, i, note);
            }
            const auto out = render(*backend, bank, 0, 640, threads);
            if (threads == 1) expected = out;
            CHECK(same_bits(out, expected));
        }
    }
}

TEST_CASE("fault 19: a voice that is not finite: muted alone and counted") {
    const auto backend = make_cpu_backend(1, best_isa());
    PatchValues patch;
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        TestBank good(patch, 16, 48000.0, 0, 1), hurt(patch, 16, 48000.0, 0, 1);
        for (TestBank* bank : {&good, &hurt})
            for (int i = 0; i < 8; ++i) {
                if (bank == &good && i == 3) continue;
                Note note;
                note.pitch = 40.0f + static_cast<float>(i);
                note.seed = static_cast<std::uint32_t>(i);
                bank->start(0, i, note);
            }
        render(*backend, good, 0, 128);
        render(*backend, hurt, 0, 128);
        hurt.bank().rows[0].fields[v::subtractive::f_i1 * 16 + 3] = bad;
        CHECK(same_bits(render(*backend, hurt, 128, 256), render(*backend, good, 128, 256)));
        CHECK(hurt.bank().muted_voices == 1);
        CHECK(hurt.bank().rows[0].muted == 1u << 3);
        hurt.start(384, 3, Note());
        const auto again = render(*backend, hurt, 384, 256);
        CHECK(!same_bits(again, render(*backend, good, 384, 256)));
        CHECK(std::all_of(again.begin(), again.end(), [](float x) { return std::isfinite(x); }));
    }
}

TEST_CASE("Banks rendered together, their last rows in bundles, give the bits of each alone") {
    for (const Isa isa : fused_isas()) {
        const KernelTable* const kernels = isa == Isa::avx512 ? kernels_avx512()
                                           : isa == Isa::avx2 ? kernels_avx2()
                                                              : nullptr;
        if (kernels == nullptr) continue;
        CAPTURE(std::string(isa_name(isa)));
        std::mt19937 random(31);
        std::vector<std::unique_ptr<TestBank>> together, alone;
        for (int i = 0; i < 14; ++i) {
            PatchValues patch;
            if (i % 4 == 1) patch.set("filter_env", 3);
            if (i % 7 == 5) patch.set("osc2_level", 0.5); // not to be packed
            const int slots = 1 + static_cast<int>(random() % 150);
            for (auto* list : {&together, &alone}) {
                list->push_back(
                    std::make_unique<TestBank>(patch, slots, i % 3 == 0 ? 44100.0 : 48000.0, i % 3, 1 + i % 2));
                for (int s = 0; s < slots; ++s) {
                    Note note;
                    note.pitch = 35.0f + static_cast<float>((s * 7 + i) % 50);
                    note.gain = 0.05f;
                    note.seed = static_cast<std::uint32_t>(s);
                    note.envelopes[0] = Line::fall(0.0f, 1.0f, 20.0);
                    note.envelopes[1] = Line::fall(1.0f, 0.1f, 50.0);
                    list->back()->start(s % 40, s, note);
                }
                for (int s = 0; s < slots; s += 9)
                    list->back()->stop(900 + s, s);
            }
        }
        const auto backend = make_cpu_backend(2, isa);
        int bundles = 0;
        for (std::int64_t frame = 0; frame < 2000;) {
            const int room = 64 - static_cast<int>(frame % 64);
            const int frames = std::min(room, frame < 1000 ? 64 : 1 + static_cast<int>(random() % 40));
            std::vector<BankStep> steps;
            for (std::size_t i = 0; i < together.size(); ++i)
                steps.push_back(together[i]->step(frame, frames));
            Packing packing;
            packing.plan(steps.data(), static_cast<int>(steps.size()), *kernels);
            bundles += packing.bundle_count();
            backend->render(steps.data(), static_cast<int>(steps.size()), frame < 1500 ? 1 : 2);
            for (std::size_t i = 0; i < alone.size(); ++i) {
                BankStep one = alone[i]->step(frame, frames);
                backend->render(&one, 1, 1);
                for (int c = 0; c < one.bank->channels; ++c)
                    REQUIRE(std::memcmp(alone[i]->bus(c) + frame % 64, together[i]->bus(c) + frame % 64,
                                        static_cast<std::size_t>(frames) * sizeof(float)) == 0);
            }
            frame += frames;
        }
        CHECK(bundles > 100); // else this test has shown nothing
    }
}
