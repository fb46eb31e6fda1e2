// SPDX-License-Identifier: MIT
// The subtractive voice by its physics: pitch, alias floors, filter responses, envelopes, stability.
#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/backend.h"
#include "profiling/bank_harness.h"

using namespace tutti::harness;
using namespace tutti::voices::subtractive;

namespace {

constexpr double k_pi = 3.14159265358979324;

// One note of full level through nothing but what the patch asks for; mono, 1 is full scale.
std::vector<float> sound(PatchValues patch, double pitch, int frames, int quality = 1, double rate = 48000.0,
                         float step = 0.0f) {
    const auto backend = make_cpu_backend(1, best_isa());
    patch.set("level", 1.0).set("velocity", 0.0);
    TestBank bank(patch, 16, rate, quality, 1);
    Note note;
    note.pitch = static_cast<float>(pitch);
    note.step = step;
    bank.start(0, 0, note);
    return render(*backend, bank, 0, frames);
}
PatchValues bare() {
    PatchValues patch;
    patch.set("filter_type", 0).set("filter_key", 0).set("osc_start", 1);
    return patch;
}
double pitch_of(double hz) {
    return 69.0 + 12.0 * std::log2(hz / 440.0);
}
// Amplitude of a sine at `hz` in the last `frames` frames, by projection under a Hann window.
double amplitude(const std::vector<float>& x, double hz, int frames, double rate = 48000.0) {
    std::complex<double> sum = 0.0;
    double weight = 0.0;
    const std::size_t begin = x.size() - static_cast<std::size_t>(frames);
    for (int i = 0; i < frames; ++i) {
        const double w = 0.5 - 0.5 * std::cos(2.0 * k_pi * (i + 0.5) / frames);
        sum += w * double(x[begin + static_cast<std::size_t>(i)]) * std::polar(1.0, -2.0 * k_pi * hz * i / rate);
        weight += w;
    }
    return 2.0 * std::abs(sum) / weight;
}
double db(double x) {
    return 20.0 * std::log10(x + 1e-15);
}

void fft(std::vector<std::complex<double>>& x) {
    const std::size_t n = x.size();
    for (std::size_t i = 1, j = 0; i < n; ++i) {
        std::size_t bit = n >> 1;
        for (; (j & bit) != 0; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) std::swap(x[i], x[j]);
    }
    for (std::size_t size = 2; size <= n; size *= 2) {
        const auto turn = std::polar(1.0, -2.0 * k_pi / static_cast<double>(size));
        for (std::size_t begin = 0; begin < n; begin += size) {
            std::complex<double> w = 1.0;
            for (std::size_t i = 0; i < size / 2; ++i, w *= turn) {
                const auto a = x[begin + i], b = x[begin + i + size / 2] * w;
                x[begin + i] = a + b;
                x[begin + i + size / 2] = a - b;
            }
        }
    }
}

struct Alias {
    double worst, below;
};
// Everything but the harmonics, relative to the fundamental: 65,536 frames under Blackman-Harris, +-6 bins round each
// harmonic masked. The window's own floor is -92 dB.
Alias alias(const std::vector<float>& x, double hz) {
    constexpr int n = 65536;
    std::vector<std::complex<double>> bins(n);
    for (int i = 0; i < n; ++i) {
        const double p = 2.0 * k_pi * i / n;
        const double w = 0.35875 - 0.48829 * std::cos(p) + 0.14128 * std::cos(2 * p) - 0.01168 * std::cos(3 * p);
        bins[static_cast<std::size_t>(i)] = w * double(x[x.size() - n + static_cast<std::size_t>(i)]);
    }
    fft(bins);
    const double f0 = hz * n / 48000.0;
    const auto at = [&](int bin) { return std::abs(bins[static_cast<std::size_t>(bin)]); };
    double fundamental = 0.0;
    for (int i = -3; i <= 3; ++i)
        fundamental = std::max(fundamental, at(static_cast<int>(std::lround(f0)) + i));
    Alias result{0.0, 0.0};
    for (int bin = 7; bin < n / 2; ++bin) {
        const double nearest = std::round(bin / f0) * f0;
        if (std::fabs(bin - nearest) <= 6.6) continue;
        result.worst = std::max(result.worst, at(bin));
        if (bin < f0) result.below = std::max(result.below, at(bin));
    }
    return {db(result.worst / fundamental), db(result.below / fundamental)};
}

} // namespace

TEST_CASE("fault 24: phase that drifts: every note at every rate within 0.01 cent, and the phase is exact for ever") {
    const auto backend = make_cpu_backend(1, best_isa());
    double worst = 0.0;
    for (const double rate : {8000.0, 11025.0, 22050.0, 44100.0, 48000.0, 88200.0, 96000.0, 192000.0, 44099.7}) {
        TestBank bank(bare(), 128, rate, 0, 1);
        for (int key = 0; key < 128; ++key) {
            Note note;
            note.pitch = static_cast<float>(key);
            bank.start(0, key, note);
        }
        render(*backend, bank, 0, 64);
        for (int key = 0; key < 128; ++key) {
            const double hz = 440.0 * std::exp2((key - 69) / 12.0);
            if (hz > 0.45 * rate) continue;
            const float* const fields = bank.bank().rows[key / 16].fields + key % 16;
            std::uint32_t increment = 0, phase = 0;
            std::memcpy(&increment, fields + (f_osc1 + f_osc_increment) * 16, 4);
            std::memcpy(&phase, fields + f_osc1 * 16, 4);
            worst = std::max(worst, std::fabs(1200.0 * std::log2(increment * rate / 4294967296.0 / hz)));
            CHECK(phase == 64u * increment); // whole numbers: no error grows
        }
    }
    CHECK(worst < 0.01);
    MESSAGE("largest error: " << worst << " cent");
}

TEST_CASE("fault 27: aliasing: the floors of the tiers (4,186 Hz at 48 kHz)") {
    struct Bar {
        int quality;
        double worst, below;
    };
    // eco and standard as measured of their kind elsewhere (2-point -24/-76, 4-point -32/-90); ultra is the window's floor.
    for (const Bar& bar : {Bar{0, -23.5, -70.0}, Bar{1, -31.5, -90.0}, Bar{2, -90.0, -90.0}}) {
        for (const double hz : {4186.009, 1244.5079, 440.0}) {
            const Alias saw = alias(sound(bare(), pitch_of(hz), 90000, bar.quality), hz);
            MESSAGE("saw, quality " << bar.quality << ", " << hz << " Hz: worst " << saw.worst << " dB, below "
                                    << saw.below << " dB");
            CHECK(saw.worst < bar.worst);
            CHECK(saw.below < bar.below);
        }
        for (const auto& [name, wave] : {std::pair("pulse", 1), std::pair("triangle", 2), std::pair("sine", 3)}) {
            const Alias other = alias(
                sound(bare().set("osc1_wave", wave).set("osc1_width", 0.3), pitch_of(4186.009), 90000, bar.quality),
                4186.009);
            MESSAGE(std::string(name) << ", quality " << bar.quality << ": worst " << other.worst << " dB, below "
                                      << other.below << " dB");
            CHECK(other.worst < bar.worst);
            CHECK(other.below < bar.below);
        }
    }
}

namespace {

// Oscillator 2 alone, begun anew with each cycle of oscillator 1, at 1.374 times its pitch.
std::vector<float> synced(int wave, double hz, int quality) {
    return sound(bare()
                     .set("osc_sync", 1)
                     .set("osc1_level", 0)
                     .set("osc2_level", 1)
                     .set("osc2_semitone", 5)
                     .set("osc2_fine", 50)
                     .set("osc2_width", 0.3)
                     .set("osc2_wave", wave),
                 pitch_of(hz), 90000, quality);
}
// What a synchronised saw is without any correction.
std::vector<float> naive_sync(double hz) {
    std::vector<float> x(90000);
    double master = 0.0, slave = 0.0;
    const double step = hz / 48000.0, ratio = std::exp2(5.5 / 12.0);
    for (float& y : x) {
        master += step;
        slave += step * ratio;
        if (master >= 1.0) {
            master -= 1.0;
            slave = master * ratio;
        }
        y = static_cast<float>(2.0 * (slave - std::floor(slave)) - 1.0);
    }
    return x;
}

} // namespace

TEST_CASE("Hard sync is band-limited as the waves themselves are, in every tier") {
    // By wave: saw, pulse, triangle, sine; 1.5 dB and more above what was measured, which is what the free waves have. A
    // sine's reset also jumps in its higher derivatives, which nothing corrects: fair at low pitches only.
    constexpr double k_worst[3][4] = {{-24, -20, -24, -32}, {-32, -28.5, -32, -39}, {-88, -88, -88, -49}};
    for (int quality = 0; quality < 3; ++quality)
        for (int wave = 0; wave < 4; ++wave)
            for (const double hz : {4186.009, 1244.5079, 440.0}) {
                const Alias found = alias(synced(wave, hz, quality), hz);
                MESSAGE("wave " << wave << ", quality " << quality << ", " << hz << " Hz: worst " << found.worst
                                << " dB, below " << found.below << " dB");
                CHECK(found.worst < k_worst[quality][wave]);
            }
    // Red control: uncorrected resets are found.
    CHECK(alias(naive_sync(4186.009), 4186.009).worst > -20.0);
}

TEST_CASE("A synchronised wave is the plain one cut off: the same samples but for the residuals") {
    const auto naive = naive_sync(110.0);
    for (int quality = 0; quality < 3; ++quality) {
        const auto wave = synced(0, 110.0, quality);
        // Both begin with phase 0, but the engine's saw stands at its middle there: compare mean squares and means.
        double a = 0.0, b = 0.0, mean_a = 0.0, mean_b = 0.0;
        for (std::size_t i = 40000; i < 88000; ++i) { // 110 cycles
            a += double(wave[i]) * wave[i];
            b += double(naive[i]) * naive[i];
            mean_a += wave[i];
            mean_b += naive[i];
        }
        CHECK(10.0 * std::log10(a / b) == doctest::Approx(0.0).epsilon(0.2)); // residuals take the steepest parts
        CHECK(mean_a / 48000.0 == doctest::Approx(mean_b / 48000.0).epsilon(0.01));
    }
}

TEST_CASE("A route's second source scales the first") {
    // Wheel (0 in this table) times key: nothing moves; key times velocity 0.5 is half of what key alone moves.
    const auto pitch_moved = [](v::Source via, float velocity) {
        PatchValues patch = bare();
        patch.set("level", 1.0).set("velocity", 0.0).route(v::source_key, "pitch", 12.0, via);
        TestBank bank(patch, 16, 48000.0, 0, 1);
        Note note;
        note.velocity = velocity;
        bank.start(0, 0, note);
        const auto backend = make_cpu_backend(1, best_isa());
        render(*backend, bank, 0, 64);
        std::uint32_t increment = 0;
        std::memcpy(&increment, bank.bank().rows[0].fields + (f_osc1 + f_osc_increment) * 16, 4);
        return 12.0 * std::log2(increment * 48000.0 / 4294967296.0 / 440.0);
    };
    const double alone = pitch_moved(v::source_none, 0.5f);
    MESSAGE("key alone moves the pitch by " << alone << " semitones");
    CHECK(alone > 1.0);
    CHECK(std::fabs(pitch_moved(v::source_wheel, 0.5f)) < 1e-3);
    CHECK(pitch_moved(v::source_velocity, 0.5f) == doctest::Approx(alone * 0.5).epsilon(1e-3));
    CHECK(pitch_moved(v::source_velocity, 1.0f) == doctest::Approx(alone).epsilon(1e-3));
}

TEST_CASE("Waves have the levels of their series: saw 2/(pi n), triangle 8/(pi n)^2, no mean") {
    const double hz = 440.0;
    for (int quality = 0; quality < 3; ++quality) {
        const auto saw = sound(bare(), 69, 48000, quality);
        CHECK(db(amplitude(saw, hz, 24000)) == doctest::Approx(db(2.0 / k_pi)).epsilon(0.01));
        CHECK(db(amplitude(saw, 3 * hz, 24000)) == doctest::Approx(db(2.0 / (3 * k_pi))).epsilon(0.01));
        const auto triangle = sound(bare().set("osc1_wave", 2), 69, 48000, quality);
        CHECK(db(amplitude(triangle, hz, 24000)) == doctest::Approx(db(8.0 / (k_pi * k_pi))).epsilon(0.02));
        CHECK(db(amplitude(triangle, 3 * hz, 24000)) == doctest::Approx(db(8.0 / (9 * k_pi * k_pi))).epsilon(0.01));
        CHECK(db(amplitude(triangle, 2 * hz, 24000)) < -90.0);
        const auto pulse = sound(bare().set("osc1_wave", 1).set("osc1_width", 0.5), 69, 48000, quality);
        CHECK(db(amplitude(pulse, hz, 24000)) == doctest::Approx(db(4.0 / k_pi)).epsilon(0.02));
        CHECK(db(amplitude(pulse, 2 * hz, 24000)) < -90.0); // a square
        double mean = 0.0;
        for (int i = 0; i < 48000; ++i)
            mean += double(pulse[static_cast<std::size_t>(i)]) / 48000.0;
        CHECK(std::fabs(mean) < 1e-3);
    }
}

TEST_CASE("Filter: -3.01 dB at the cutoff, 12 and 24 dB an octave, centre and notch") {
    const auto gain = [&](int type, double cutoff, double hz, double resonance = 0.0, double rate = 48000.0) {
        PatchValues sine = bare();
        sine.set("osc1_wave", 3);
        const int frames = 24000;
        const double plain = amplitude(sound(sine, pitch_of(hz), 2 * frames, 1, rate), hz, frames, rate);
        sine.set("filter_type", type).set("cutoff", cutoff).set("resonance", resonance);
        // Small, so that the ladder's bend stays out.
        if (type == filter_ladder) sine.set("osc1_level", 0.01);
        const double filtered = amplitude(sound(sine, pitch_of(hz), 2 * frames, 1, rate), hz, frames, rate);
        return db(filtered / plain) + (type == filter_ladder ? 40.0 : 0.0);
    };
    for (const double cutoff : {60.0, 1000.0, 9000.0, 18000.0}) {
        CAPTURE(cutoff);
        CHECK(std::fabs(gain(filter_low, cutoff, cutoff) + 3.0103) < 0.1);
        CHECK(std::fabs(gain(filter_high, cutoff, cutoff) + 3.0103) < 0.1);
        CHECK(std::fabs(gain(filter_band, cutoff, cutoff)) < 0.1);
        CHECK(gain(filter_notch, cutoff, cutoff) < -50.0);
    }
    CHECK(std::fabs(gain(filter_low, 3000.0, 3000.0, 0.0, 8000.0) + 3.0103) < 0.1);
    // Resonance: at the cutoff a low-pass has the gain Q = 2^(6 r) / sqrt 2.
    CHECK(gain(filter_low, 1000.0, 1000.0, 0.5) == doctest::Approx(db(8.0 / std::sqrt(2.0))).epsilon(0.01));
    CHECK(gain(filter_low, 250.0, 1000.0) == doctest::Approx(-24.1).epsilon(0.02)); // Butterworth, two octaves above
    CHECK(gain(filter_high, 4000.0, 1000.0) == doctest::Approx(-24.1).epsilon(0.02));
    // Four poles: -12.04 dB at their own corner, 1/(1 + w^2)^2.
    CHECK(std::fabs(gain(filter_ladder, 1000.0, 1000.0) + 12.04) < 0.2);
    CHECK(gain(filter_ladder, 250.0, 1000.0) == doctest::Approx(-49.2).epsilon(0.02));
}

TEST_CASE("The ladder sings at its cutoff when the resonance is full") {
    for (const double cutoff : {220.0, 1000.0, 4000.0}) {
        PatchValues patch = bare();
        patch.set("filter_type", filter_ladder).set("resonance", 1.0).set("cutoff", cutoff).set("osc1_level", 0.02);
        const auto x = sound(patch, 20.0, 96000);
        // Zero crossings of the last second.
        int rises = 0;
        for (std::size_t i = 48001; i < x.size(); ++i)
            rises += x[i - 1] < 0.0f && x[i] >= 0.0f ? 1 : 0;
        CHECK(std::fabs(1200.0 * std::log2(rises / cutoff)) <
              40.0); // a count of one second, and the saturator's detuning
        float peak = 0.0f;
        for (const float v : x)
            peak = std::max(peak, std::fabs(v));
        CHECK(peak < 1.5f);
        CHECK(peak > 0.05f);
    }
}

TEST_CASE("Both filters stay bounded under an audio-rate cutoff at full resonance") {
    for (const int type : {filter_low, filter_band, filter_high, filter_notch, filter_ladder}) {
        PatchValues patch = bare();
        patch.set("filter_type", type)
            .set("resonance", 1.0)
            .set("cutoff", 2000)
            .set("filter_fm", 4)
            .set("osc2_wave", 1)
            .set("osc2_octave", 2);
        float peak = 0.0f;
        for (const float v : sound(patch, 57.3, 48000)) {
            REQUIRE(std::isfinite(v));
            peak = std::max(peak, std::fabs(v));
        }
        CHECK(peak < 60.0f); // Q is 45 at full resonance: the input can be met at its peak, no more
    }
}

TEST_CASE("Glide: a pitch that steps each tick arrives, and no sample jumps") {
    PatchValues sine = bare();
    sine.set("osc1_wave", 3);
    const auto x = sound(sine, 60.0, 9600, 1, 48000.0, 0.02f); // 12 semitones in 600 ticks
    double steepest = 0.0;
    for (std::size_t i = 1; i < x.size(); ++i)
        steepest = std::max(steepest, std::fabs(double(x[i]) - x[i - 1]));
    CHECK(steepest < 2.0 * k_pi * 523.3 / 48000.0 * 1.01);
    CHECK(db(amplitude(x, 523.25 * 0.99, 480)) > -3.0);
}

TEST_CASE("Velocity, gain, pan and the voice's low-pass do what they say") {
    const auto backend = make_cpu_backend(1, best_isa());
    const auto level = [&](const Note& note, int channel) {
        PatchValues patch = bare();
        patch.set("osc1_wave", 3).set("level", 1).set("velocity", 1);
        TestBank bank(patch, 16, 48000.0, 1, 2);
        bank.start(0, 0, note);
        return amplitude(render(*backend, bank, 0, 4800, 1, channel), 440.0, 2400);
    };
    Note note;
    const double centre = level(note, 0);
    CHECK(db(centre) == doctest::Approx(-3.01).epsilon(0.01));
    note.velocity = 0.5f;
    CHECK(db(level(note, 0) / centre) == doctest::Approx(-12.04).epsilon(0.01));
    note.velocity = 1.0f;
    note.gain = 0.5f;
    CHECK(db(level(note, 0) / centre) == doctest::Approx(-6.02).epsilon(0.01));
    note.gain = 1.0f;
    note.pan = 1.0f;
    CHECK(level(note, 0) < 1e-6);
    CHECK(db(level(note, 1)) == doctest::Approx(0.0).epsilon(0.02));
    note.pan = 0.0f;
    note.lowpass = static_cast<float>(1.0 - std::exp(-2.0 * k_pi * 440.0 / 48000.0));
    CHECK(db(level(note, 0) / centre) == doctest::Approx(-3.0).epsilon(0.05));
}
