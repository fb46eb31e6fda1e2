// SPDX-License-Identifier: MIT
// The same bits from every instruction set that this machine has.
#include <cstdlib>

#include <doctest/doctest.h>

#include "engine/cpu/isa.h"
#include "engine/effects/kernels.h"
#include "tests/engine/effects/support.h"

using namespace test;

namespace {

// For the time of a test: TUTTI_ISA as given.
class Forced {
public:
    explicit Forced(const char* isa) {
        const char* old = std::getenv(k_name);
        if (old != nullptr) m_old = old;
        set(isa);
    }
    ~Forced() { set(m_old.c_str()); }
    Forced(const Forced&) = delete;
    Forced& operator=(const Forced&) = delete;

private:
    static constexpr const char* k_name = "TUTTI_ISA";
    static void set(const char* value) {
#if defined(_WIN32)
        _putenv_s(k_name, value);
#else
        setenv(k_name, value, 1);
#endif
    }
    std::string m_old;
};

// Size, depth and rate at their ends: delays cross whole frames inside ticks, which the wide reader takes apart.
Stereo rendered(const char* id, double rate, int block, std::uint32_t seed) {
    const auto effect = make(id, rate);
    const EffectType& type = effect->type();
    Random random(seed);
    Stereo s = noise(30000, 0.8f, seed);
    for (std::size_t at = 0; at < s.size();) {
        const std::size_t count = std::min(s.size() - at, static_cast<std::size_t>(block));
        if (random.below(20) == 0) {
            const int parameter = random.below(type.parameter_count);
            effect->set_parameter(parameter,
                                  value_from_normalised(type.parameters[parameter], 0.5f + 0.5f * random.bipolar()));
        }
        render(*effect, s, at, count, static_cast<std::int64_t>(at));
        at += count;
    }
    return s;
}

} // namespace

TEST_CASE("fault 22: SIMD unlike scalar in effects: every instruction set gives the same bits") {
    for (const EffectType& type : effect_types())
        for (const double rate : {8000.0, 48000.0, 192000.0})
            for (const int block : {64, 100}) {
                CAPTURE(type.id);
                CAPTURE(rate);
                Stereo expected;
                {
                    const Forced force("scalar"); // the base kernels, on every machine
                    expected = rendered(type.id, rate, block, 21);
                }
                for (const Isa isa : {Isa::sse2, Isa::avx2, Isa::avx512, Isa::neon}) {
                    if (!isa_supported(isa)) continue;
                    CAPTURE(isa_name(isa));
                    const Forced force(isa_name(isa));
                    CHECK(rendered(type.id, rate, block, 21) == expected);
                }
                // Red control: another seed is another sound.
                CHECK_FALSE(rendered(type.id, rate, block, 22) == expected);
            }
}

#if defined(TUTTI_EFFECT_KERNELS_X86)
TEST_CASE("the instruction set named is the one used") {
    const auto used = [](const char* isa) {
        const Forced force(isa);
        return &effect_kernels();
    };
    CHECK(used("sse2") == &k_effect_kernels_base);
    if (isa_supported(Isa::avx2)) CHECK(used("avx2") == &k_effect_kernels_avx2);
    if (isa_supported(Isa::avx512)) CHECK(used("avx512") == &k_effect_kernels_avx512);
}
#endif
