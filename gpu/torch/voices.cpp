// SPDX-License-Identifier: MIT
// The voice types on tensors: what happens at every frame, from the records of the ticks (interface.h). Preallocated, in inference
// mode, nothing waits for the device but the sound on its way back.
//
// Over 400 lines: four voice types out of the same few operations, read best beside each other.
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include "gpu/torch/filters.h"
#include "gpu/torch/interface.h"
#include "gpu/torch/session.h"
#include "voices/fm_algorithms.h"

namespace tutti::gpu {

using namespace torch_records;
using at::Tensor;

namespace {

constexpr int k_frames = 16;
constexpr int64_t k_block = k_torch_ticks * k_frames;
constexpr double k_half = 2147483648.0;

int has(const TorchBatch& b, int bit) {
    return static_cast<int>(b.shape >> bit & 1u);
}
int number(const TorchBatch& b, int bit, int bits) {
    return static_cast<int>(b.shape >> bit) & ((1 << bits) - 1);
}
int64_t word(std::uint32_t bits) {
    return static_cast<std::int32_t>(bits);
}

} // namespace

struct TorchSession {
    at::Device device;
    bool host;                             // the device is the CPU
    bool loops;                            // filters by our own loops
    Tensor count, count_before, count_sum; // [16, 1] words: 1.., 0.., 1, 3, 6..
    Tensor count_f;                        // [16, 1]
    Tensor float_pool[12], word_pool[6];   // flat
    Tensor float_now[12], word_now[6];     // [tick, 16, voice] for `width` voices
    Tensor records, states, sum;
    int width = 0;
    int threads = 1;

    TorchSession(const char* name, bool pure) : device(name), host(device.is_cpu()), loops(host && !pure) {
        const auto words = at::TensorOptions().dtype(at::kInt).device(device);
        const auto floats = words.dtype(at::kFloat);
        count = at::arange(1, k_frames + 1, words).unsqueeze(1);
        count_before = count - 1;
        count_sum = at::div(count * (count + 1), 2, "trunc").to(at::kInt);
        count_f = count.to(at::kFloat);
        for (Tensor& each : float_pool)
            each = at::zeros({k_block * k_torch_voices}, floats);
        for (Tensor& each : word_pool)
            each = at::zeros({k_block * k_torch_voices}, words);
        if (!host) {
            records = at::zeros({k_most, k_torch_ticks, k_torch_voices}, floats);
            states = at::zeros({k_most_states, k_torch_voices}, floats);
        }
        sum = at::zeros({k_torch_banks, 2, k_block}, floats);
    }
    void prepare(int voices) {
        if (voices == width) return;
        width = voices;
        const auto view = [&](const Tensor& pool) {
            return pool.narrow(0, 0, k_block * voices).view({k_torch_ticks, k_frames, voices});
        };
        for (int i = 0; i < 12; ++i)
            float_now[i] = view(float_pool[i]);
        for (int i = 0; i < 6; ++i)
            word_now[i] = view(word_pool[i]);
    }
};

namespace {

// One batch: names for its records, and the operations that all types are made of. Every function writes into tensors it is given.
class Work {
public:
    Work(TorchSession& session, const TorchBatch& batch) : s(session), b(batch) {
        s.prepare(b.voices);
        Tensor own = at::from_blob(const_cast<float*>(b.records), {k_most, k_torch_ticks, k_torch_voices},
                                   {k_torch_record_stride, k_torch_tick_stride, 1}, at::kFloat);
        Tensor memory = at::from_blob(b.states, {k_most_states, k_torch_voices}, {k_torch_tick_stride, 1}, at::kFloat);
        if (!s.host) {
            s.records.copy_(own, true);
            s.states.copy_(memory, true);
            own = s.records;
            memory = s.states;
        }
        m_floats = own.narrow(2, 0, b.voices);
        m_words = own.view(at::kInt).narrow(2, 0, b.voices);
        m_memory = memory.narrow(1, 0, b.voices);
        m_memory_words = memory.view(at::kInt).narrow(1, 0, b.voices);
    }
    Tensor& f(int i) { return s.float_now[i]; }
    Tensor& w(int i) { return s.word_now[i]; }
    Tensor value(int record) const { return m_floats.select(0, record).unsqueeze(1); }
    Tensor bits(int record) const { return m_words.select(0, record).unsqueeze(1); }
    Tensor memory(int state) const { return m_memory.select(0, state); }
    Tensor memory_bits(int state) const { return m_memory_words.select(0, state); }
    bool moves(int pair) const { return (b.moving >> (pair + 1) & 1u) != 0; }

    // A pair at every frame; into `out` only where it moves.
    Tensor ramp(Tensor& out, int pair) const {
        if (!moves(pair)) return value(pair);
        return at::addcmul_out(out, value(pair), value(pair + 1), s.count_f);
    }
    // A phase at every frame from its increment's pair.
    void phase(Tensor& out, int phase_record, int increment_pair) const {
        at::addcmul_out(out, bits(phase_record), bits(increment_pair), s.count);
        if (moves(increment_pair)) out.addcmul_(bits(increment_pair + 1), s.count_sum);
    }

    // dsp/oscillator.h over a phase; `out` and the two others are scratch of each call.
    void saw(Tensor& out, const Tensor& phase_words, const Tensor& slope, const Tensor& offset, Tensor& u,
             Tensor& t) const {
        out.copy_(phase_words);
        at::abs_out(u, out);
        at::addcmul_out(u, offset, slope, u);
        if (b.tier == 0) {
            u.clamp_min_(0);
            at::copysign_out(t, u, out);
            out.addcmul_(u, t, -1);
            return;
        }
        at::sub_out(t, u, c(115.661056)); // outer^4 - 4 inner^4
        t.clamp_min_(0);
        t.mul_(t);
        u.clamp_min_(0);
        u.mul_(u);
        Tensor& difference = s.float_now[11];
        at::add_out(difference, u, t, -2);
        u.add_(t, 2);
        u.copysign_(out);
        out.addcmul_(difference, u, -1);
    }
    void triangle(Tensor& out, const Tensor& phase_words, const Tensor& slope, const Tensor& offset,
                  const Tensor& corner, Tensor& u, Tensor& t) const {
        out.copy_(phase_words);
        out.abs_().mul_(-2).add_(k_half);
        at::abs_out(u, out);
        at::addcmul_out(u, offset, slope, u);
        if (b.tier == 0) {
            u.clamp_min_(0);
            at::mul_out(t, u, u);
            t.mul_(u);
        } else {
            Tensor& inner = s.float_now[11];
            at::sub_out(inner, u, c(1.0));
            inner.clamp_min_(0);
            at::pow_out(t, inner, 5);
            u.clamp_min_(0);
            u.pow_(5);
            at::add_out(t, u, t, -4);
        }
        t.mul_(corner);
        t.copysign_(out);
        out.sub_(t);
    }
    void sine(Tensor& out, const Tensor& phase_words) const {
        out.copy_(phase_words);
        out.mul_(M_PI / k_half);
        out.sin_();
    }
    // An oscillator of `subtractive`, at 2^31.
    void oscillator(Tensor& out, int at, int wave, Tensor& p, Tensor& u, Tensor& t) {
        phase(p, at + o_phase, at + o_increment);
        if (wave == 3) {
            sine(out, p);
            out.mul_(k_half);
            return;
        }
        const Tensor slope = ramp(f(9), at + o_slope), offset = ramp(f(10), at + o_offset);
        if (wave == 2) return triangle(out, p, slope, offset, value(at + o_corner), u, t);
        saw(out, p, slope, offset, u, t);
        if (wave != 1) return;
        if (moves(at + o_width)) {
            Tensor& shift = w(5);
            at::addcmul_out(shift, bits(at + o_width), bits(at + o_width + 1), s.count);
            p.add_(shift);
        } else {
            p.add_(bits(at + o_width));
        }
        Tensor& other = f(8);
        saw(other, p, slope, offset, u, t);
        out.sub_(other);
    }
    // 32 hashed bits of (seed, frame), as numbers of -2^31..2^31 in `out`, as words in `p`.
    void noise(Tensor& p, Tensor& q, int seed_record, int frame_record) const {
        at::add_out(p, bits(frame_record), s.count_before);
        p.mul_(word(0x9e3779b9u)).add_(bits(seed_record));
        const auto fold = [&](int by, int64_t mask) {
            at::bitwise_right_shift_out(q, p, by);
            q.bitwise_and_(mask);
            p.bitwise_xor_(q);
        };
        fold(16, 0xffff);
        p.mul_(word(0x85ebca6bu));
        fold(13, 0x7ffff);
        p.mul_(word(0xc2b2ae35u));
        fold(16, 0xffff);
    }
    // m = a m + g x in place.
    void pole(Tensor& x, const Tensor& a, const Tensor& g, int state) const {
        Tensor m = memory(state);
        if (s.loops) {
            const bool scalar = a.numel() == 1;
            torch_filters::pole_loop({x.data_ptr<float>(), k_torch_ticks, b.voices, a.data_ptr<float>(),
                                      g.data_ptr<float>(), scalar ? 0 : static_cast<int>(a.stride(0)), scalar,
                                      m.data_ptr<float>()});
            return;
        }
        Tensor after = m;
        x.copy_(torch_filters::pole_scan(x, a, g, after));
        m.copy_(after);
    }
    void filter(Tensor& x, int a1, int damping, int kind, int state) {
        Tensor i1 = memory(state), i2 = memory(state + 1);
        const Tensor k = value(damping >= 0 ? damping : a1);
        if (s.loops) {
            const auto place = [&](int record) {
                return b.records + static_cast<std::ptrdiff_t>(record) * k_torch_record_stride;
            };
            torch_filters::svf_loop({x.data_ptr<float>(), k_torch_ticks, b.voices, place(a1), place(a1 + 1),
                                     place(a1 + 2), place(a1 + 3), place(a1 + 4), place(a1 + 5),
                                     place(damping >= 0 ? damping : a1), k_torch_tick_stride, i1.data_ptr<float>(),
                                     i2.data_ptr<float>(), kind});
            return;
        }
        const auto at_frames = [&](int pair) { return at::addcmul(value(pair), value(pair + 1), s.count_f); };
        const auto y = torch_filters::svf_scan(x, at_frames(a1), at_frames(a1 + 2), at_frames(a1 + 4), i1, i2);
        const Tensor band = k * y.band;
        if (kind == torch_filters::svf_low)
            x.copy_(y.low);
        else if (kind == torch_filters::svf_band)
            x.copy_(band);
        else
            x.copy_(kind == torch_filters::svf_high ? 2 * x - y.low - band : 2 * x - band);
        i1.copy_(y.i1);
        i2.copy_(y.i2);
    }
    // The voices' own low-pass, ramped gain, and the sum of each bank's voices.
    void output(Tensor& x, int side, int muffle_state, Tensor& u, bool keep) {
        if (b.muffled != 0) {
            const Tensor open = value(out_open);
            pole(x, (1 - open).contiguous(), open.contiguous(), muffle_state);
        }
        const Tensor gain = ramp(u, side == 0 ? int{out_left} : int{out_right});
        Tensor& y = keep ? f(7) : x;
        at::mul_out(y, x, gain);
        for (int bank = 0; bank < b.banks; ++bank) {
            Tensor to = s.sum.select(0, bank).select(0, side);
            at::sum_out(to, y.view({k_block, b.voices}).narrow(1, b.first[bank], b.first[bank + 1] - b.first[bank]),
                        at::IntArrayRef{1});
        }
    }
    void outputs_of_one(Tensor& x, int muffle_state) {
        output(x, 0, muffle_state, f(6), b.stereo != 0);
        if (b.stereo == 0) return;
        const Tensor gain = ramp(f(6), out_right);
        x.mul_(gain);
        for (int bank = 0; bank < b.banks; ++bank) {
            Tensor to = s.sum.select(0, bank).select(0, 1);
            at::sum_out(to, x.view({k_block, b.voices}).narrow(1, b.first[bank], b.first[bank + 1] - b.first[bank]),
                        at::IntArrayRef{1});
        }
    }
    void finish() {
        Tensor sound = at::from_blob(b.sound, {k_torch_banks, 2, k_block}, at::kFloat).narrow(0, 0, b.banks);
        sound.copy_(s.sum.narrow(0, 0, b.banks));
        if (s.host) return;
        at::from_blob(b.states, {k_most_states, k_torch_voices}, {k_torch_tick_stride, 1}, at::kFloat).copy_(s.states);
    }
    Tensor c(double x) const { return at::scalar_tensor(x, at::TensorOptions().dtype(at::kFloat).device(s.device)); }
    TorchSession& s;
    const TorchBatch& b;

private:
    Tensor m_floats, m_words, m_memory, m_memory_words;
};

void render_subtractive(Work& k) {
    namespace r = torch_records::subtractive;
    // As voices/subtractive_parameters.h has them.
    enum {
        osc1 = 0,
        wave1 = 1,
        osc2 = 3,
        wave2 = 4,
        ring = 7,
        sub = 8,
        square = 9,
        noise = 10,
        pink = 11,
        filter = 12,
        mix = 16
    };
    const TorchBatch& b = k.b;
    Tensor &x = k.f(0), &y = k.f(1), &u = k.f(2), &t = k.f(3), &p = k.w(0);
    if (has(b, osc1)) k.oscillator(x, r::r_osc1, number(b, wave1, 2), p, u, t);
    if (has(b, osc2)) k.oscillator(y, r::r_osc2, number(b, wave2, 2), p, u, t);
    if (!has(b, mix)) {
        if (!has(b, osc1)) x.copy_(y);
    } else {
        if (has(b, ring)) at::mul_out(t, x, k.ramp(u, r::r_ring)).mul_(y);
        if (has(b, osc1))
            x.mul_(k.ramp(u, r::r_level1));
        else
            x.zero_();
        if (has(b, ring)) x.add_(t);
        if (has(b, osc2)) x.addcmul_(k.ramp(u, r::r_level2), y);
        if (has(b, sub)) {
            Tensor& step = k.w(1);
            if (k.moves(r::r_osc1 + int{o_increment}))
                at::addcmul_out(step, k.bits(r::r_osc1 + int{o_increment}), k.bits(r::r_osc1 + int{o_increment} + 1),
                                k.s.count);
            else
                step.copy_(k.bits(r::r_osc1 + int{o_increment}).expand_as(step));
            step.bitwise_right_shift_(1);
            at::cumsum_out(p, step, 1, at::kInt);
            p.add_(k.bits(r::r_sub_phase));
            if (has(b, square)) {
                const Tensor slope = k.ramp(k.f(9), r::r_sub_slope), offset = k.ramp(k.f(10), r::r_sub_offset);
                k.saw(y, p, slope, offset, u, t);
                p.add_(word(0x80000000u));
                k.saw(k.f(8), p, slope, offset, u, t);
                y.sub_(k.f(8));
            } else {
                k.sine(y, p);
                y.mul_(k_half);
            }
            x.addcmul_(k.ramp(u, r::r_sub), y);
        }
        if (has(b, noise)) {
            k.noise(p, k.w(1), r::r_seed, r::r_frame);
            y.copy_(p);
            if (has(b, pink)) {
                constexpr double pole[3] = {0.99765, 0.96300, 0.57000}, gain[3] = {0.0990460, 0.2965164, 1.0526913};
                at::mul_out(t, y, k.c(0.1848));
                for (int i = 0; i < 3; ++i) {
                    u.copy_(y);
                    k.pole(u, k.c(pole[i]), k.c(gain[i]), r::s_pink + i);
                    t.add_(u);
                }
                at::mul_out(y, t, k.c(0.25));
            }
            x.addcmul_(k.ramp(u, r::r_noise), y);
        }
    }
    if (const int type = number(b, filter, 3); type != 0) k.filter(x, r::r_a1, r::r_damping, type, r::s_i1);
    k.outputs_of_one(x, r::s_muffle);
}

void render_fm(Work& k) {
    namespace r = torch_records::fm;
    const voices::FmAlgorithm& algorithm = voices::k_fm_algorithms[k.b.shape & 31u];
    Tensor &p = k.w(0), &turn_words = k.w(1), &sum = k.f(0), &turn = k.f(8), &u = k.f(9);
    sum.zero_();
    for (int op = 5; op >= 0; --op) {
        const int at = r::r_operator + op * r::op_count;
        Tensor& out = k.f(1 + op);
        k.phase(p, at + r::op_phase, at + r::op_increment);
        if (algorithm.modulators[op] != 0) {
            bool some = false;
            for (int m = op + 1; m < 6; ++m) {
                if ((algorithm.modulators[op] >> m & 1) == 0) continue;
                if (some)
                    turn.add_(k.f(1 + m));
                else
                    turn.copy_(k.f(1 + m));
                some = true;
            }
            at::round_out(u, turn);
            turn.sub_(u).mul_(4294967040.0);
            turn_words.copy_(turn);
            p.add_(turn_words);
        }
        k.sine(out, p);
        out.mul_(k.ramp(u, at + r::op_amplitude));
        if ((algorithm.carriers >> op & 1) != 0) sum.add_(out);
    }
    k.outputs_of_one(sum, r::s_muffle);
}

void render_ambient_pad(Work& k) {
    namespace r = torch_records::ambient_pad;
    enum { sub = 0, noise = 1, octave = 2 };
    const TorchBatch& b = k.b;
    Tensor &left = k.f(0), &right = k.f(1), &u = k.f(2), &t = k.f(3), &y = k.f(4), &p = k.w(0);
    for (int o = 0; o < (has(b, octave) ? 6 : 4); ++o) {
        const int at = r::r_saw + o * r::saw_count;
        Tensor& side = o % 2 == 0 ? left : right;
        at::addcmul_out(p, k.bits(at + r::saw_phase), k.bits(at + r::saw_increment), k.s.count);
        k.saw(o < 2 ? side : y, p, k.value(at + r::saw_slope), k.value(at + r::saw_offset), u, t);
        if (o < 2) continue;
        if (o < 4)
            side.add_(y);
        else
            side.addcmul_(y, k.value(r::r_octave));
    }
    if (has(b, sub)) {
        at::addcmul_out(p, k.bits(r::r_sub_phase), k.bits(r::r_sub_increment), k.s.count);
        k.sine(y, p);
        y.mul_(k.value(r::r_sub));
        left.add_(y);
        right.add_(y);
    }
    if (has(b, noise)) {
        const Tensor pole = k.value(r::r_pole).contiguous(), rest = (1 - pole).contiguous(),
                     level = k.value(r::r_noise);
        k.noise(p, k.w(1), r::r_seed, r::r_frame);
        y.copy_(p);
        k.pole(y, rest, pole, r::s_noise);
        left.addcmul_(y, level);
        p.bitwise_left_shift_(16);
        y.copy_(p);
        k.pole(y, rest, pole, r::s_noise_right);
        right.addcmul_(y, level);
    }
    const Tensor near = k.value(r::r_near), far = 1 - near;
    at::mul_out(y, left, near).addcmul_(right, far);
    right.mul_(near).addcmul_(left, far);
    k.filter(y, r::r_a1, -1, torch_filters::svf_low, r::s_left);
    k.filter(right, r::r_a1, -1, torch_filters::svf_low, r::s_right);
    if (b.stereo == 0) {
        y.add_(right).mul_(0.5);
        return k.output(y, 0, r::s_muffle, u, false);
    }
    k.output(y, 0, r::s_muffle, u, false);
    k.output(right, 1, r::s_muffle_right, u, false);
}

void render_torchsynth(Work& k) {
    namespace r = torch_records::torchsynth;
    const int64_t voices = k.b.voices;
    Tensor &p = k.w(0), &q = k.w(1);
    Tensor &before = k.f(0), &after = k.f(1), &along = k.f(2), &u = k.f(3), &sound = k.f(4), &y = k.f(5), &t = k.f(8);
    at::addcmul_out(p, k.bits(r::r_position), k.bits(r::r_position_step), k.s.count_before);
    p.bitwise_right_shift_(8).bitwise_and_(0xffffff);
    after.copy_(p);
    after.mul_(1.0 / 8388608.0);
    at::clamp_max_out(before, after, 1);
    after.sub_(before);
    at::sub_out(along, before, k.value(r::r_tick_position));
    const auto level = [&](Tensor& out, int m) {
        at::addcmul_out(out, k.value(r::r_level + 3 * m), k.value(r::r_level + 3 * m + 1), before);
        out.addcmul_(k.value(r::r_level + 3 * m + 2), after);
    };
    for (int o = 0; o < 2; ++o) {
        const int at = o == 0 ? r::r_vco_1 : r::r_vco_2;
        at::mul_out(u, along, k.value(at + r::vco_slope));
        u.addcmul_(after, k.value(at + r::vco_slope_after));
        u.clamp_(-4, 4).mul_(M_LN2).expm1_();
        at::addcmul_out(u, k.value(at + r::vco_over), u, k.value(at + r::vco_whole));
        at::maximum_out(u, u, k.value(at + r::vco_least));
        at::minimum_out(u, u, k.value(at + r::vco_most));
        q.copy_(u);
        q.add_(k.bits(at + r::vco_step));
        Tensor flat = p.view({k_block, voices});
        at::cumsum_out(flat, q.view({k_block, voices}), 0, at::kInt);
        Tensor phase = k.memory_bits(o);
        p.add_(phase);
        phase.copy_(p.view({k_block, voices}).select(0, k_block - 1));
        if (o == 0) {
            p.add_(word(0x40000000u));
            k.sine(sound, p);
            level(u, 0);
            sound.mul_(u);
            continue;
        }
        const Tensor shape = k.value(r::r_shape);
        k.sine(y, p);
        y.mul_(k.value(r::r_edge)).tanh_();
        p.add_(word(0x40000000u));
        k.sine(t, p);
        t.mul_(shape).add_(1);
        y.mul_(t).mul_(1 - 0.5 * shape);
        level(u, 1);
        sound.addcmul_(y, u);
    }
    k.noise(p, q, r::r_seed, r::r_frame);
    y.copy_(p);
    y.mul_(1.0 / k_half);
    level(u, 2);
    sound.addcmul_(y, u);
    k.outputs_of_one(sound, r::s_muffle);
}

} // namespace

TorchSession* open_session(const char* device, int threads, bool pure) {
    const c10::InferenceMode inference(true);
    auto session = std::make_unique<TorchSession>(device, pure);
    session->threads = threads;
    return session.release();
}
void close_session(TorchSession* session) {
    delete session;
}
void render_batch(TorchSession& session, const TorchBatch& batch) {
    const c10::InferenceMode inference(true);
    // OpenMP keeps the number for each thread that calls.
    if (at::get_num_threads() != session.threads) at::set_num_threads(session.threads);
    if (batch.voices > k_torch_voices || batch.banks > k_torch_banks)
        throw std::runtime_error("the batch is too large");
    Work work(session, batch);
    switch (batch.kind) {
    case torch_subtractive:
        render_subtractive(work);
        break;
    case torch_fm:
        render_fm(work);
        break;
    case torch_ambient_pad:
        render_ambient_pad(work);
        break;
    case torch_torchsynth:
        render_torchsynth(work);
        break;
    default:
        throw std::runtime_error("the voice type is not written for tensors");
    }
    work.finish();
}

} // namespace tutti::gpu
