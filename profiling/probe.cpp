// SPDX-License-Identifier: MIT
// The bare loop of an eco voice: what this processor can do under the project's arithmetic contract with no engine round it.
//
// 32-bit integer phase, 2-point polyBLEP saw, trapezoidal state-variable low-pass, envelope by one fma a tick of 16 frames,
// linear gain ramp inside a tick, block-long lane accumulators, slots summed in rows of 16 and chunks of 8 rows. No events,
// no stealing, no buses: an upper bound for an engine, and the ceiling that benchmarks are read against.
//
// Built by profiling/compare once an instruction set (-march=x86-64-v4, -v3, none) with -ffp-contract=off; the lane width
// follows from the flags. All builds with FMA must print the same checksum: the sum is defined over slots.
// Sources: TPT state-variable filter, V. Zavalishin, "The Art of VA Filter Design" (2018), chapter 4, here in state-space form;
// polynomial band-limited step, Valimaki and Huovilainen, IEEE Signal Processing Magazine 24(2), 2007.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "dsp/lane.h"
#include "dsp/lane_simd.h"

#if defined(TUTTI_LANE_X86)
#include <immintrin.h>
#endif

namespace {

using namespace tutti::dsp;
using F = NativeLanes;
using U = UintOf<F>;
constexpr int k_width = width_of<F>();

constexpr int k_row = 16;       // slots a row, whatever the lane width
constexpr int k_rows_chunk = 8; // rows a chunk
constexpr int k_tick = 16;      // frames between control values
constexpr int k_block = 64;     // frames a render block
constexpr double k_pi = 3.14159265358979323846;

static_assert(k_row % k_width == 0);

struct alignas(64) Row {
    std::int32_t phase[k_row], increment[k_row];
    float blep_slope[k_row], blep_offset[k_row];          // u = max(0, slope * |s| + offset), s = float(phase)
    float i1[k_row], i2[k_row];                           // filter states
    float c1[k_row], c2[k_row], c3[k_row];                // 2 a1 - 1, 2 a2, 2 a3
    float gain[k_row];                                    // at the last tick
    float level[k_row], keep[k_row], drive[k_row];        // envelope: level = fma(level, keep, drive) a tick
    float cutoff[k_row], damping[k_row], loudness[k_row]; // pi * cutoff / rate; 1 / Q; final scale
};

struct Coefficients {
    F c1, c2, c3;
};

/// State-space coefficients from pi * cutoff / rate (below 1.45) and 1 / Q. With g = sin / cos one division serves all three:
/// a1 = cos^2 / D, a2 = sin cos / D, a3 = sin^2 / D, D = cos^2 + sin (sin + damping cos). Taylor series, error below 2e-5.
Coefficients coefficients(F angle, F damping) {
    const F y = angle * angle;
    F s = fma(y, F(2.7557319e-6F), F(-1.9841270e-4F));
    s = fma(y, s, F(8.3333333e-3F));
    s = fma(y, s, F(-1.6666667e-1F));
    s = fma(angle * y, s, angle);
    F c = fma(y, F(2.4801587e-5F), F(-1.3888889e-3F));
    c = fma(y, c, F(4.1666667e-2F));
    c = fma(y, c, F(-0.5F));
    c = fma(y, c, F(1.0F));
    const F twice = F(2.0F) / fma(c, c, s * fma(damping, c, s));
    const F sine = s * twice;
    return {fma(c, c * twice, F(-1.0F)), c * sine, s * sine};
}

enum class Form {
    textbook,   // v1, v2 and two state updates
    pair,       // d = x - i2, inner fma of n2 on d
    short_chain // the same, inner fma of n2 on the older states: one link less from i2 to i2
};

/// Renders one block of Groups rows at one lane offset into acc[frame][lane].
template <int Groups, Form form, bool sweep>
void render(Row* rows, int lane, float* acc) {
    U phase[Groups], increment[Groups];
    F slope[Groups], offset[Groups], i1[Groups], i2[Groups], gain[Groups], level[Groups];
    Coefficients c[Groups];
#pragma GCC unroll 4
    for (int g = 0; g < Groups; ++g) {
        Row& r = rows[g];
        phase[g] = U::Batch::load_aligned(r.phase + lane);
        increment[g] = U::Batch::load_aligned(r.increment + lane);
        slope[g] = load<F>(r.blep_slope + lane);
        offset[g] = load<F>(r.blep_offset + lane);
        i1[g] = load<F>(r.i1 + lane);
        i2[g] = load<F>(r.i2 + lane);
        c[g] = {load<F>(r.c1 + lane), load<F>(r.c2 + lane), load<F>(r.c3 + lane)};
        gain[g] = load<F>(r.gain + lane);
        level[g] = load<F>(r.level + lane);
    }
    for (int tick = 0; tick < k_block / k_tick; ++tick) {
        F step[Groups];
        Coefficients move[Groups];
#pragma GCC unroll 4
        for (int g = 0; g < Groups; ++g) {
            level[g] = fma(level[g], load<F>(rows[g].keep + lane), load<F>(rows[g].drive + lane));
            step[g] = (level[g] * load<F>(rows[g].loudness + lane) - gain[g]) * F(1.0F / k_tick);
            if constexpr (sweep) { // cutoff * (0.2 + level), coefficients ramped over the tick
                const F angle = load<F>(rows[g].cutoff + lane) * (level[g] + F(0.2F));
                const Coefficients next = coefficients(min(angle, F(1.4F)), load<F>(rows[g].damping + lane));
                const F part(1.0F / k_tick);
                move[g] = {(next.c1 - c[g].c1) * part, (next.c2 - c[g].c2) * part, (next.c3 - c[g].c3) * part};
            }
        }
        for (int frame = 0; frame < k_tick; ++frame) {
            float* out = acc + static_cast<std::ptrdiff_t>(tick * k_tick + frame) * k_row + lane;
            F sum = load<F>(out);
#pragma GCC unroll 4
            for (int g = 0; g < Groups; ++g) {
                phase[g] = phase[g] + increment[g];
                const F s = signed_to_float(phase[g]);
                const F u = max(F(0.0F), fma(slope[g], abs(s), offset[g]));
                const F x = fnma(u, with_sign(u, s), s);
                gain[g] = gain[g] + step[g];
                if constexpr (sweep) {
                    c[g].c1 = c[g].c1 + move[g].c1;
                    c[g].c2 = c[g].c2 + move[g].c2;
                    c[g].c3 = c[g].c3 + move[g].c3;
                }
                const F d = x - i2[g];
                if constexpr (form == Form::textbook) { // coefficients taken back to a1 a2 a3 by the halves below
                    const F h1 = fma(c[g].c1, i1[g], i1[g]);
                    const F v1 = fma(c[g].c2, d, h1);              // 2 v1
                    const F v2 = fma(c[g].c2, i1[g], c[g].c3 * d); // 2 (v2 - i2)
                    const F n2 = i2[g] + v2;
                    sum = fma(gain[g], i2[g] + n2, sum);
                    i1[g] = v1 - i1[g];
                    i2[g] = n2;
                } else {
                    const F n1 = fma(c[g].c1, i1[g], c[g].c2 * d);
                    const F n2 = form == Form::pair ? fma(c[g].c2, i1[g], fma(c[g].c3, d, i2[g]))
                                                    : fma(c[g].c3, d, fma(c[g].c2, i1[g], i2[g]));
                    sum = fma(gain[g], i2[g] + n2, sum);
                    i1[g] = n1;
                    i2[g] = n2;
                }
            }
            store(out, sum);
        }
    }
#pragma GCC unroll 4
    for (int g = 0; g < Groups; ++g) {
        Row& r = rows[g];
        phase[g].v.store_aligned(r.phase + lane);
        store(r.i1 + lane, i1[g]);
        store(r.i2 + lane, i2[g]);
        store(r.gain + lane, gain[g]);
        store(r.level + lane, level[g]);
        if constexpr (sweep) {
            store(r.c1 + lane, c[g].c1);
            store(r.c2 + lane, c[g].c2);
            store(r.c3 + lane, c[g].c3);
        }
    }
}

/// Adds the 16 lanes of each frame at distances 8, 4, 2, 1, four frames at a time by interleaving. The obvious loop over one
/// frame's lanes makes gcc 12 store and reload each step and costs 17 % of the voices with AVX-512, 37 % with AVX2.
void reduce(const float* acc, float* chunk) {
#if defined(TUTTI_LANE_X86)
    const auto quad = [&](int frame) { // distances 8 and 4
        const float* in = acc + static_cast<std::ptrdiff_t>(frame) * k_row;
        return _mm_add_ps(_mm_add_ps(_mm_load_ps(in), _mm_load_ps(in + 8)),
                          _mm_add_ps(_mm_load_ps(in + 4), _mm_load_ps(in + 12)));
    };
    const auto pair = [](__m128 a, __m128 b) { return _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b)); };
    for (int frame = 0; frame < k_block; frame += 4) {
        const __m128 first = pair(quad(frame), quad(frame + 1)); // distance 2
        const __m128 second = pair(quad(frame + 2), quad(frame + 3));
        _mm_storeu_ps(chunk + frame, _mm_add_ps(_mm_movelh_ps(first, second), _mm_movehl_ps(second, first)));
    }
#else
    for (int frame = 0; frame < k_block; ++frame) {
        const float* in = acc + static_cast<std::ptrdiff_t>(frame) * k_row;
        float quad[4];
        for (int lane = 0; lane < 4; ++lane)
            quad[lane] = (in[lane] + in[lane + 8]) + (in[lane + 4] + in[lane + 12]);
        chunk[frame] = (quad[0] + quad[2]) + (quad[1] + quad[3]);
    }
#endif
}

template <int Groups, Form form, bool sweep>
void block(std::vector<Row>& rows, std::vector<float>& sums, float* out) {
    alignas(64) float acc[k_block * k_row];
    const int chunks = static_cast<int>(rows.size()) / k_rows_chunk;
    for (int chunk = 0; chunk < chunks; ++chunk) {
        std::memset(acc, 0, sizeof acc);
        for (int row = 0; row < k_rows_chunk; row += Groups)
            for (int lane = 0; lane < k_row; lane += k_width)
                render<Groups, form, sweep>(rows.data() + static_cast<std::ptrdiff_t>(chunk) * k_rows_chunk + row, lane,
                                            acc);
        reduce(acc, sums.data() + static_cast<std::ptrdiff_t>(chunk) * k_block);
    }
    for (int half = 1; half < chunks; half *= 2) // pairwise tree over the chunk index
        for (int chunk = 0; chunk + half < chunks; chunk += 2 * half)
            for (int frame = 0; frame < k_block; ++frame)
                sums[static_cast<std::size_t>(chunk * k_block + frame)] +=
                    sums[static_cast<std::size_t>((chunk + half) * k_block + frame)];
    std::memcpy(out, sums.data(), sizeof(float) * k_block);
}

/// Work W: voice i at 55 * 2^((i mod 60)/12) Hz, cutoff min(400 + 10 (i mod 400), 8000) Hz, Q 3, gain 0.5/N.
std::vector<Row> work(int voices, double rate) {
    const int per_chunk = k_row * k_rows_chunk;
    std::vector<Row> rows(static_cast<std::size_t>((voices + per_chunk - 1) / per_chunk) * k_rows_chunk);
    const double full = std::sqrt(2147483648.0); // the saw runs at +-2^31, its correction at the square root of that
    for (int i = 0; i < static_cast<int>(rows.size()) * k_row; ++i) {
        Row& r = rows[static_cast<std::size_t>(i / k_row)];
        const int lane = i % k_row;
        const double cycles = 55.0 * std::pow(2.0, (i % 60) / 12.0) / rate;
        const double half = 0.5 / cycles;
        const double angle = k_pi * std::fmin(400.0 + 10.0 * (i % 400), 8000.0) / rate;
        const double g = std::tan(angle);
        const double a1 = 1.0 / (1.0 + g * (g + 1.0 / 3.0));
        r.phase[lane] = INT32_MIN;
        r.increment[lane] = static_cast<std::int32_t>(std::lround(cycles * 4294967296.0));
        r.blep_slope[lane] = static_cast<float>(half * full / 2147483648.0);
        r.blep_offset[lane] = static_cast<float>((1.0 - half) * full);
        r.c1[lane] = static_cast<float>(2.0 * a1 - 1.0);
        r.c2[lane] = static_cast<float>(2.0 * g * a1);
        r.c3[lane] = static_cast<float>(2.0 * g * g * a1);
        r.keep[lane] = 1.0F;
        r.cutoff[lane] = static_cast<float>(angle);
        r.damping[lane] = 1.0F / 3.0F;
        r.loudness[lane] = i < voices ? static_cast<float>(0.5 / voices * 0.5 / 2147483648.0) : 0.0F;
    }
    return rows;
}

/// Attack 10 ms linear, decay 200 ms to -60 dB of the way, sustain 0.7: the stage's constants for every lane.
void stage(std::vector<Row>& rows, bool attack, double rate) {
    const double keep = attack ? 1.0 : std::pow(0.001, k_tick / (0.2 * rate));
    const double drive = attack ? k_tick / (0.01 * rate) : 0.7 * (1.0 - keep);
    for (Row& r : rows)
        for (int lane = 0; lane < k_row; ++lane) {
            r.keep[lane] = static_cast<float>(keep);
            r.drive[lane] = static_cast<float>(drive);
        }
}

double cpu_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

template <int Groups, Form form, bool sweep>
void run(const char* name, int voices, double seconds) {
    const double rate = 48000.0;
    std::vector<Row> rows = work(voices, rate);
    std::vector<float> sums(rows.size() / k_rows_chunk * k_block);
    std::uint64_t hash = 14695981039346656037ULL;
    double energy = 0.0, peak = 0.0;
    const long blocks = std::lround(seconds * rate / k_block);
    stage(rows, true, rate);
    const double start = cpu_seconds();
    for (long b = 0; b < blocks; ++b) {
        float out[k_block];
        if (b == 8) stage(rows, false, rate); // 512 frames; the level is held at its end below
        block<Groups, form, sweep>(rows, sums, out);
        for (float value : out) {
            std::uint32_t bits;
            std::memcpy(&bits, &value, sizeof bits);
            hash = (hash ^ bits) * 1099511628211ULL;
            energy += static_cast<double>(value) * value;
            peak = std::fmax(peak, std::fabs(static_cast<double>(value)));
        }
    }
    const double spent = cpu_seconds() - start;
    const double frames = static_cast<double>(blocks) * k_block;
    std::printf("{\"lanes\": %d, \"groups\": %d, \"form\": \"%s\", \"cutoff_envelope\": %s, \"voices\": %d, "
                "\"audio_seconds\": %g, "
                "\"cpu_seconds\": %.4f, \"realtime_voices\": %.0f, \"ns_per_voice_sample\": %.4f, \"rms\": %.6f, "
                "\"peak\": %.6f, "
                "\"checksum\": \"%016llx\"}\n",
                k_width, Groups, name, sweep ? "true" : "false", voices, frames / rate, spent,
                voices * frames / rate / spent, spent * 1e9 / (frames * static_cast<double>(rows.size()) * k_row),
                std::sqrt(energy / frames), peak, static_cast<unsigned long long>(hash));
}

/// A chain of shift, xor and multiply, 1 + 1 + 3 cycles a link on x86 cores since 2011, gives the clock the loop runs at.
double clock_ghz() {
    double best = 0.0;
    for (int round = 0; round < 5; ++round) {
        std::uint64_t x = static_cast<std::uint64_t>(round) + 3;
        const double start = cpu_seconds(); // not wall: other work on the machine is no slower clock
        constexpr int k_links = 50000000;
        for (int i = 0; i < k_links; ++i)
            x = (x ^ (x >> 17)) * 6364136223846793005ULL; // no compiler joins two links
        const double spent = cpu_seconds() - start;
        if (x != 0) // always; keeps the chain
            best = std::fmax(best, 5.0 * k_links / spent * 1e-9);
    }
    return best;
}

int usage() {
    std::fprintf(stderr, "usage: probe [--voices N] [--seconds S] [--cutoff-envelope] [--all] | --clock\n");
    return 2;
}

} // namespace

int main(int count, char** values) {
    int voices = 4096;
    double seconds = 2.0;
    bool sweep = false, all = false;
    for (int i = 1; i < count; ++i) {
        const char* option = values[i];
        if (std::strcmp(option, "--clock") == 0) {
            std::printf("{\"ghz\": %.3f}\n", clock_ghz());
            return 0;
        }
        if (std::strcmp(option, "--voices") == 0 && i + 1 < count)
            voices = std::atoi(values[++i]);
        else if (std::strcmp(option, "--seconds") == 0 && i + 1 < count)
            seconds = std::atof(values[++i]);
        else if (std::strcmp(option, "--cutoff-envelope") == 0)
            sweep = true;
        else if (std::strcmp(option, "--all") == 0)
            all = true;
        else
            return usage();
    }
    if (voices < 1 || !(seconds > 0.0)) return usage();
#if defined(TUTTI_LANE_X86)
    _mm_setcsr(_mm_getcsr() | 0x8040U); // flush to zero, denormals are zero
#endif
    if (!all && sweep) run<2, Form::short_chain, true>("short_chain", voices, seconds);
    if (!all && !sweep) run<2, Form::short_chain, false>("short_chain", voices, seconds);
    if (!all) return 0;
    run<1, Form::textbook, false>("textbook", voices, seconds);
    run<2, Form::textbook, false>("textbook", voices, seconds);
    run<1, Form::pair, false>("pair", voices, seconds);
    run<2, Form::pair, false>("pair", voices, seconds);
    run<1, Form::short_chain, false>("short_chain", voices, seconds);
    run<2, Form::short_chain, false>("short_chain", voices, seconds);
    run<4, Form::short_chain, false>("short_chain", voices, seconds);
    run<1, Form::short_chain, true>("short_chain", voices, seconds);
    run<2, Form::short_chain, true>("short_chain", voices, seconds);
    run<4, Form::short_chain, true>("short_chain", voices, seconds);
    return 0;
}
