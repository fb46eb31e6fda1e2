// SPDX-License-Identifier: MIT
// Power, mel and log10 of up to sixteen frames at once, one frame a lane. Included once by each instruction set's own source
// file, in a namespace of its own. The loops over the lanes stand innermost and are plain: every compiler makes vectors of
// them, and the same operations in the same order give the same bits on every instruction set (nothing is fused here).
// Method: Stockham's autosort FFT in mixed radix (Van Loan, Computational Frameworks for the FFT, 1992, 1.7) of half length
// over even and odd samples, then the real-input step.

#include <bit>
#include <cstdint>

#include <dsp/mel/mel_plan.h>

// The including file has defined F, I, W, load, store, max, bits_of, float_of_bits and transpose4 in this namespace.
namespace tutti::models::TUTTI_KERNEL_NAMESPACE {

using dsp::FftStep;
using dsp::MelOutput;
using dsp::MelPlan;

inline constexpr int L = // NOLINT(readability-identifier-naming): as in the formulas
    dsp::k_mel_lanes;    // a multiple of W: wider or narrower vectors do the same work in more or fewer pieces

// a[j] at re + j * in_step; b[j] (twiddled) at out + j * out_step; steps in floats.
struct Butterfly {
    const float* re;
    const float* im;
    float* out_re;
    float* out_im;
    std::ptrdiff_t in_step;
    std::ptrdiff_t out_step;
    const float* cosines; // [radix - 1]
    const float* sines;
};

// (a + ib)(c + is)
static inline void turn(float* re, float* im, const F& a, const F& b, float c, float s) {
    store(re, a * F(c) - b * F(s));
    store(im, a * F(s) + b * F(c));
}

static void radix2(const Butterfly& f) {
    const float c1 = f.cosines[0], s1 = f.sines[0];
    const float* re = f.re;
    const float* im = f.im;
    float* ore = f.out_re;
    float* oim = f.out_im;
    for (int l = 0; l < L; l += W) {
        const F ar = load(re + l), ai = load(im + l), br = load(re + f.in_step + l), bi = load(im + f.in_step + l);
        store(ore + l, ar + br);
        store(oim + l, ai + bi);
        turn(ore + f.out_step + l, oim + f.out_step + l, ar - br, ai - bi, c1, s1);
    }
}

static void radix3(const Butterfly& f) {
    const float half_root3 = 0.866025403784438647f;
    const float c1 = f.cosines[0], s1 = f.sines[0], c2 = f.cosines[1], s2 = f.sines[1];
    const float* re = f.re;
    const float* im = f.im;
    float* ore = f.out_re;
    float* oim = f.out_im;
    const std::ptrdiff_t n = f.in_step, o = f.out_step;
    for (int l = 0; l < L; l += W) {
        const F sr = load(re + n + l) + load(re + 2 * n + l), si = load(im + n + l) + load(im + 2 * n + l);
        const F dr = (load(re + n + l) - load(re + 2 * n + l)) * F(half_root3),
                di = (load(im + n + l) - load(im + 2 * n + l)) * F(half_root3);
        const F mr = load(re + l) - F(0.5f) * sr, mi = load(im + l) - F(0.5f) * si;
        store(ore + l, load(re + l) + sr);
        store(oim + l, load(im + l) + si);
        turn(ore + o + l, oim + o + l, mr + di, mi - dr, c1, s1);
        turn(ore + 2 * o + l, oim + 2 * o + l, mr - di, mi + dr, c2, s2);
    }
}

static void radix4(const Butterfly& f) {
    const float c1 = f.cosines[0], s1 = f.sines[0], c2 = f.cosines[1], s2 = f.sines[1], c3 = f.cosines[2],
                s3 = f.sines[2];
    const float* re = f.re;
    const float* im = f.im;
    float* ore = f.out_re;
    float* oim = f.out_im;
    const std::ptrdiff_t n = f.in_step, o = f.out_step;
    for (int l = 0; l < L; l += W) {
        const F a = load(re + l) + load(re + 2 * n + l), ai = load(im + l) + load(im + 2 * n + l);
        const F b = load(re + l) - load(re + 2 * n + l), bi = load(im + l) - load(im + 2 * n + l);
        const F c = load(re + n + l) + load(re + 3 * n + l), ci = load(im + n + l) + load(im + 3 * n + l);
        const F d = load(re + n + l) - load(re + 3 * n + l), di = load(im + n + l) - load(im + 3 * n + l);
        store(ore + l, a + c);
        store(oim + l, ai + ci);
        turn(ore + o + l, oim + o + l, b + di, bi - d, c1, s1);
        turn(ore + 2 * o + l, oim + 2 * o + l, a - c, ai - ci, c2, s2);
        turn(ore + 3 * o + l, oim + 3 * o + l, b - di, bi + d, c3, s3);
    }
}

static void radix5(const Butterfly& f) {
    const float ca = 0.309016994374947424f, cb = -0.809016994374947424f; // cos 72, cos 144 degrees
    const float sa = 0.951056516295153572f, sb = 0.587785252292473129f;  // sin 72, sin 144 degrees
    const float c1 = f.cosines[0], s1 = f.sines[0], c2 = f.cosines[1], s2 = f.sines[1], c3 = f.cosines[2],
                s3 = f.sines[2], c4 = f.cosines[3], s4 = f.sines[3];
    const float* re = f.re;
    const float* im = f.im;
    float* ore = f.out_re;
    float* oim = f.out_im;
    const std::ptrdiff_t n = f.in_step, o = f.out_step;
    for (int l = 0; l < L; l += W) {
        const F pr = load(re + n + l) + load(re + 4 * n + l), pi = load(im + n + l) + load(im + 4 * n + l);
        const F qr = load(re + 2 * n + l) + load(re + 3 * n + l), qi = load(im + 2 * n + l) + load(im + 3 * n + l);
        const F ur = load(re + n + l) - load(re + 4 * n + l), ui = load(im + n + l) - load(im + 4 * n + l);
        const F vr = load(re + 2 * n + l) - load(re + 3 * n + l), vi = load(im + 2 * n + l) - load(im + 3 * n + l);
        const F xr = load(re + l) + F(ca) * pr + F(cb) * qr, xi = load(im + l) + F(ca) * pi + F(cb) * qi;
        const F yr = load(re + l) + F(cb) * pr + F(ca) * qr, yi = load(im + l) + F(cb) * pi + F(ca) * qi;
        const F gr = F(sa) * ur + F(sb) * vr, gi = F(sa) * ui + F(sb) * vi;
        const F hr = F(sb) * ur - F(sa) * vr, hi = F(sb) * ui - F(sa) * vi;
        store(ore + l, load(re + l) + pr + qr);
        store(oim + l, load(im + l) + pi + qi);
        turn(ore + o + l, oim + o + l, xr + gi, xi - gr, c1, s1);
        turn(ore + 2 * o + l, oim + 2 * o + l, yr + hi, yi - hr, c2, s2);
        turn(ore + 3 * o + l, oim + 3 * o + l, yr - hi, yi + hr, c3, s3);
        turn(ore + 4 * o + l, oim + 4 * o + l, xr - gi, xi + gr, c4, s4);
    }
}

static void radix8(const Butterfly& f) {
    const float h = 0.707106781186547524f;
    const float* c = f.cosines;
    const float* s = f.sines;
    const float* re = f.re;
    const float* im = f.im;
    float* ore = f.out_re;
    float* oim = f.out_im;
    const std::ptrdiff_t n = f.in_step, o = f.out_step;
    for (int l = 0; l < L; l += W) {
        const F a0r = load(re + l) + load(re + 4 * n + l), a0i = load(im + l) + load(im + 4 * n + l);
        const F b0r = load(re + l) - load(re + 4 * n + l), b0i = load(im + l) - load(im + 4 * n + l);
        const F a1r = load(re + n + l) + load(re + 5 * n + l), a1i = load(im + n + l) + load(im + 5 * n + l);
        const F b1r = load(re + n + l) - load(re + 5 * n + l), b1i = load(im + n + l) - load(im + 5 * n + l);
        const F a2r = load(re + 2 * n + l) + load(re + 6 * n + l), a2i = load(im + 2 * n + l) + load(im + 6 * n + l);
        const F b2r = load(re + 2 * n + l) - load(re + 6 * n + l), b2i = load(im + 2 * n + l) - load(im + 6 * n + l);
        const F a3r = load(re + 3 * n + l) + load(re + 7 * n + l), a3i = load(im + 3 * n + l) + load(im + 7 * n + l);
        const F b3r = load(re + 3 * n + l) - load(re + 7 * n + l), b3i = load(im + 3 * n + l) - load(im + 7 * n + l);
        // even outputs: a four-point transform of a
        const F e0r = a0r + a2r, e0i = a0i + a2i, e1r = a0r - a2r, e1i = a0i - a2i;
        const F e2r = a1r + a3r, e2i = a1i + a3i, e3r = a1r - a3r, e3i = a1i - a3i;
        // odd outputs: b turned by 0, 45, 90 and 135 degrees, then a four-point transform
        const F t1r = (b1r + b1i) * F(h), t1i = (b1i - b1r) * F(h);
        const F t3r = (b3i - b3r) * F(h), t3i = (b3r + b3i) * F(-h);
        const F o0r = b0r + b2i, o0i = b0i - b2r, o1r = b0r - b2i, o1i = b0i + b2r;
        const F o2r = t1r + t3r, o2i = t1i + t3i, o3r = t1r - t3r, o3i = t1i - t3i;
        store(ore + l, e0r + e2r);
        store(oim + l, e0i + e2i);
        turn(ore + o + l, oim + o + l, o0r + o2r, o0i + o2i, c[0], s[0]);
        turn(ore + 2 * o + l, oim + 2 * o + l, e1r + e3i, e1i - e3r, c[1], s[1]);
        turn(ore + 3 * o + l, oim + 3 * o + l, o1r + o3i, o1i - o3r, c[2], s[2]);
        turn(ore + 4 * o + l, oim + 4 * o + l, e0r - e2r, e0i - e2i, c[3], s[3]);
        turn(ore + 5 * o + l, oim + 5 * o + l, o0r - o2r, o0i - o2i, c[4], s[4]);
        turn(ore + 6 * o + l, oim + 6 * o + l, e1r - e3i, e1i + e3r, c[5], s[5]);
        turn(ore + 7 * o + l, oim + 7 * o + l, o1r - o3i, o1i + o3r, c[6], s[6]);
    }
}

// Any other (prime) radix, straight from the definition.
static void radix_any(const Butterfly& f, const FftStep& step) {
    const int p = step.radix;
    for (int j = 0; j < p; ++j) {
        const float c = j == 0 ? 1.0f : f.cosines[j - 1];
        const float s = j == 0 ? 0.0f : f.sines[j - 1];
        for (int l = 0; l < L; l += W) {
            F sum_re(0.0f);
            F sum_im(0.0f);
            for (int k = 0; k < p; ++k) {
                const F rc(step.root_cosines[static_cast<std::size_t>(j * k % p)]);
                const F rs(step.root_sines[static_cast<std::size_t>(j * k % p)]);
                const F a = load(f.re + k * f.in_step + l), b = load(f.im + k * f.in_step + l);
                sum_re = sum_re + (a * rc - b * rs);
                sum_im = sum_im + (a * rs + b * rc);
            }
            turn(f.out_re + j * f.out_step + l, f.out_im + j * f.out_step + l, sum_re, sum_im, c, s);
        }
    }
}

static void fft_step(const FftStep& step, const float* re, const float* im, float* out_re, float* out_im) {
    const std::ptrdiff_t in_step = static_cast<std::ptrdiff_t>(step.stride) * step.rest * L;
    const std::ptrdiff_t out_step = static_cast<std::ptrdiff_t>(step.stride) * L;
    for (int k = 0; k < step.rest; ++k)
        for (int q = 0; q < step.stride; ++q) {
            const std::ptrdiff_t in = (q + static_cast<std::ptrdiff_t>(step.stride) * k) * L;
            const std::ptrdiff_t out = (q + static_cast<std::ptrdiff_t>(step.stride) * step.radix * k) * L;
            const std::ptrdiff_t table = static_cast<std::ptrdiff_t>(k) * (step.radix - 1);
            const Butterfly f{re + in,
                              im + in,
                              out_re + out,
                              out_im + out,
                              in_step,
                              out_step,
                              step.cosines.data() + table,
                              step.sines.data() + table};
            switch (step.radix) {
            case 2:
                radix2(f);
                break;
            case 3:
                radix3(f);
                break;
            case 4:
                radix4(f);
                break;
            case 5:
                radix5(f);
                break;
            case 8:
                radix8(f);
                break;
            default:
                radix_any(f, step);
                break;
            }
        }
}

// log10 of a normal positive number to 1.2e-7 of the result's unit: exponent, then atanh's series of (m - 1) / (m + 1) for
// m in [sqrt 1/2, sqrt 2); the first omitted term is 1e-9.
static inline F log10_of(const F& x) {
    const I bits = bits_of(x);
    const I exponent = (bits - I(0x3f3504f3)) >> 23;
    const F m = float_of_bits(bits - (exponent << 23));
    const F s = (m - F(1.0f)) / (m + F(1.0f));
    const F q = s * s;
    const F e = xsimd::to_float(exponent);
    // 2 / (k ln 10)
    F series = F(0.124084137686643379f) + q * F(0.0965098848673892951f);
    series = F(0.173717792761300731f) + q * series;
    series = F(0.289529654602167885f) + q * series;
    series = s * (F(0.868588963806503655f) + q * series);
    // log10 2 in two parts: the first has 11 bits, its product with the exponent is exact.
    return e * F(0.30102539062f) + (e * F(4.6050389811952113e-6f) + series);
}

// Frames f = 0 .. count-1 (count <= 16) begin at samples[f * hop]; out[f * mels + mel]. scratch: 64-byte aligned,
// plan.scratch_floats() long. The order of the taps of a filter is ascending frequency.
static void mel_frames(const MelPlan& plan, const float* samples, int count, float* out, float* scratch) {
    const int n = plan.n_fft / 2;
    const int hop = plan.hop;
    const int columns = plan.columns();
    float* a_re = scratch;
    float* a_im = a_re + static_cast<std::ptrdiff_t>(n) * L;
    float* b_re = a_im + static_cast<std::ptrdiff_t>(n) * L;
    float* b_im = b_re + static_cast<std::ptrdiff_t>(n) * L;
    float* power = b_im + static_cast<std::ptrdiff_t>(n) * L;
    float* mel = power + static_cast<std::ptrdiff_t>(plan.bins()) * L;
    float* turned = mel + static_cast<std::ptrdiff_t>(plan.mels) * L;

    // turned[r][c] = samples[c * hop + r]: lane l of sample t is turned[t % hop][l + t / hop], a contiguous load. Overlapping
    // frames share it, so a sample is moved once and not n_fft / hop times.
    const std::ptrdiff_t available = static_cast<std::ptrdiff_t>(count - 1) * hop + plan.n_fft;
    int column = 0;
    for (; column + 4 <= columns && static_cast<std::ptrdiff_t>(column + 4) * hop <= available; column += 4) {
        const float* from = samples + static_cast<std::ptrdiff_t>(column) * hop;
        int r = 0;
        for (; r + 4 <= hop; r += 4)
            transpose4(from + r, hop, turned + static_cast<std::ptrdiff_t>(r) * columns + column, columns);
        for (; r < hop; ++r)
            for (int i = 0; i < 4; ++i)
                turned[static_cast<std::ptrdiff_t>(r) * columns + column + i] =
                    from[static_cast<std::ptrdiff_t>(i) * hop + r];
    }
    for (; column < columns; ++column) {
        const std::ptrdiff_t begin = static_cast<std::ptrdiff_t>(column) * hop;
        const std::ptrdiff_t have = available - begin < 0 ? 0 : available - begin < hop ? available - begin : hop;
        for (std::ptrdiff_t r = 0; r < have; ++r)
            turned[r * columns + column] = samples[begin + r];
        for (std::ptrdiff_t r = have; r < hop; ++r)
            turned[r * columns + column] = 0.0f;
    }
    int row = 0;
    int shift = 0;
    for (int t = 0; t < 2 * n; ++t) {
        const float w = plan.window[static_cast<std::size_t>(t)];
        const float* from = turned + static_cast<std::ptrdiff_t>(row) * columns + shift;
        float* to = ((t & 1) ? a_im : a_re) + static_cast<std::ptrdiff_t>(t / 2) * L;
        for (int l = 0; l < L; l += W)
            store(to + l, load(from + l) * F(w));
        if (++row == hop) {
            row = 0;
            ++shift;
        }
    }
    for (const FftStep& step : plan.steps) {
        fft_step(step, a_re, a_im, b_re, b_im);
        float* swap = a_re;
        a_re = b_re;
        b_re = swap;
        swap = a_im;
        a_im = b_im;
        b_im = swap;
    }
    for (int l = 0; l < L; l += W) {
        const F first = load(a_re + l) + load(a_im + l);
        const F last = load(a_re + l) - load(a_im + l);
        store(power + l, first * first);
        store(power + static_cast<std::ptrdiff_t>(n) * L + l, last * last);
    }
    for (int k = 1; k <= n / 2; ++k) {
        const F c(plan.untangle_cosines[static_cast<std::size_t>(k)]);
        const F s(plan.untangle_sines[static_cast<std::size_t>(k)]);
        const std::ptrdiff_t low = static_cast<std::ptrdiff_t>(k) * L;
        const std::ptrdiff_t high = static_cast<std::ptrdiff_t>(n - k) * L;
        for (int l = 0; l < L; l += W) {
            const F zr = load(a_re + low + l), zi = load(a_im + low + l);
            const F yr = load(a_re + high + l), yi = load(a_im + high + l);
            const F er = zr + yr, ei = zi - yi; // twice the spectrum of the even samples
            const F dr = zi + yi, di = yr - zr; // twice that of the odd ones
            const F tr = dr * c - di * s, ti = dr * s + di * c;
            const F pr = er + tr, pi = ei + ti, qr = er - tr, qi = ei - ti;
            store(power + high + l, F(0.25f) * (qr * qr + qi * qi));
            store(power + low + l, F(0.25f) * (pr * pr + pi * pi));
        }
    }
    for (int m = 0; m < plan.mels; ++m) {
        const int begin = plan.filter_begin[static_cast<std::size_t>(m)];
        const int taps = plan.filter_end[static_cast<std::size_t>(m)] - begin;
        const float* weights = plan.filter_weights.data() + plan.filter_offset[static_cast<std::size_t>(m)];
        const float* from = power + static_cast<std::ptrdiff_t>(begin) * L;
        for (int l = 0; l < L; l += W) {
            F sum(0.0f);
            for (int b = 0; b < taps; ++b)
                sum = sum + F(weights[b]) * load(from + static_cast<std::ptrdiff_t>(b) * L + l);
            if (plan.output == MelOutput::log10) sum = log10_of(max(sum, F(1e-10f)));
            store(mel + static_cast<std::ptrdiff_t>(m) * L + l, sum);
        }
    }
    int m = 0;
    for (; m + 4 <= plan.mels; m += 4) {
        int f = 0;
        for (; f + 4 <= count; f += 4)
            transpose4(mel + static_cast<std::ptrdiff_t>(m) * L + f, L,
                       out + static_cast<std::ptrdiff_t>(f) * plan.mels + m, plan.mels);
        for (; f < count; ++f)
            for (int i = 0; i < 4; ++i)
                out[static_cast<std::ptrdiff_t>(f) * plan.mels + m + i] =
                    mel[static_cast<std::ptrdiff_t>(m + i) * L + f];
    }
    for (; m < plan.mels; ++m)
        for (int f = 0; f < count; ++f)
            out[static_cast<std::ptrdiff_t>(f) * plan.mels + m] = mel[static_cast<std::ptrdiff_t>(m) * L + f];
}

} // namespace tutti::models::TUTTI_KERNEL_NAMESPACE
