// SPDX-License-Identifier: MIT
// The differentiable twin of the subtractive voice: one note from its parameters, in double precision, every step of it an
// operation with a gradient; a multi-resolution spectral loss; and what moves the parameters down it.
//
// Envelopes and the cutoff are closed forms at ticks, as in engine/stream/envelope.h and voices/subtractive_targets.h; between ticks
// everything is linear; the filter is solved over all frames by torch_filters::svf_scan.
#define TUTTI_ISA_SPACE torch_twin
#define TUTTI_LANE_FLOAT_ONLY
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "gpu/torch/filters.h"
#include "gpu/torch/session.h"
#include "voices/subtractive.h"

namespace tutti::gpu {

using at::Tensor;
namespace sub = voices::subtractive;

namespace {

constexpr int k_tick = 16;
constexpr double k_half = 2147483648.0;

at::TensorOptions doubles() {
    return at::TensorOptions().dtype(at::kDouble);
}

// The place of a value in its parameter's range, 0..1, evenly in octaves where the curve is exponential; and back.
double place_of(int index, double value) {
    const Parameter& p = sub::k_parameters[index];
    const double least = p.minimum, most = p.maximum;
    return p.curve == Curve::exponential ? std::log(value / least) / std::log(most / least)
                                         : (value - least) / (most - least);
}
double value_at(int index, double place) {
    const Parameter& p = sub::k_parameters[index];
    const double least = p.minimum, most = p.maximum;
    return p.curve == Curve::exponential ? least * std::pow(most / least, place) : least + place * (most - least);
}
Tensor value_at(int index, const Tensor& place) {
    const Parameter& p = sub::k_parameters[index];
    const double least = p.minimum, most = p.maximum;
    return p.curve == Curve::exponential ? least * at::exp(place * std::log(most / least))
                                         : least + place * (most - least);
}

struct Note {
    double rate, key, velocity;
    int ticks, gate; // in ticks
};

class Twin {
public:
    Twin(const float* start, const int* free, int count, const Note& note) : m_note(note) {
        m_shape = sub::shape(start, nullptr, 0);
        for (int i = 0; i < sub::parameter_count; ++i)
            m_value.push_back(at::scalar_tensor(start[i], doubles()));
        for (int i = 0; i < count; ++i) {
            m_index.push_back(free[i]);
            place.push_back(at::scalar_tensor(place_of(free[i], start[free[i]]), doubles()).requires_grad_(true));
        }
        refuse(start);
    }
    std::vector<Tensor> place; // of the free parameters

    // [frames]: the left side of a stream, before its mixer.
    Tensor sound() {
        for (std::size_t i = 0; i < m_index.size(); ++i)
            m_value[static_cast<std::size_t>(m_index[i])] = value_at(m_index[i], place[i]);
        const Tensor at_ticks = at::arange(m_note.ticks + 1, doubles());
        Tensor x = oscillators();
        const int filter = static_cast<int>(m_shape >> sub::shape_filter & 7u);
        Tensor gain = at::clamp_min(v(sub::p_level), 0);
        const double velocity = m_note.velocity;
        gain = gain * at::clamp_min(1 - v(sub::p_velocity) + v(sub::p_velocity) * (velocity * velocity), 0);
        gain = gain * at::sqrt(0.5 - 0.5 * at::clamp(v(sub::p_pan), -1, 1)) / k_half;
        if (filter != sub::filter_off) {
            x = filtered(x, filter, at_ticks);
            gain = gain * 0.5;
        }
        const Tensor level = envelope(sub::p_env1_attack, at_ticks);
        return (x * ramped(level * gain)).view({-1});
    }

private:
    const Tensor& v(int index) const { return m_value[static_cast<std::size_t>(index)]; }
    bool has(int bit) const { return (m_shape >> bit & 1u) != 0; }
    void refuse(const float* start) const {
        std::string what;
        if (has(sub::shape_sync)) what = "hard sync";
        if (has(sub::shape_ring)) what = "ring modulation";
        if (has(sub::shape_fm)) what = "audio-rate cutoff";
        if (has(sub::shape_noise)) what = "noise, whose draws a recording does not tell";
        if ((m_shape >> sub::shape_filter & 7u) == sub::filter_ladder) what = "the ladder filter";
        if (start[sub::p_unison_voices] >= 1.5f) what = "unison";
        if (!what.empty())
            throw std::runtime_error("the patch has " + what + ", which the differentiable twin has not");
    }

    // [tick + 1] -> [tick, 16, 1]: linear from each to the next.
    Tensor ramped(const Tensor& at_ticks) const {
        const Tensor from = at_ticks.narrow(0, 0, m_note.ticks), to = at_ticks.narrow(0, 1, m_note.ticks);
        const Tensor part = (at::arange(1, k_tick + 1, doubles()) / k_tick).view({1, k_tick, 1});
        return from.view({-1, 1, 1}) + (to - from).view({-1, 1, 1}) * part;
    }

    // A stage's way at x, of 0..1.
    static Tensor bent(const Tensor& x, const Tensor& curve) {
        const double c = curve.item<double>();
        if (std::fabs(c) <= 1e-4) return x;
        return (1 - at::exp(-curve * x)) / (1 - at::exp(-curve));
    }
    Tensor held(int attack, const Tensor& ticks) const {
        const Tensor curve = v(attack + 4), sustain = v(attack + 2);
        const double frames = m_note.rate / k_tick;
        const Tensor up = v(attack) * frames, down = v(attack + 1) * frames; // in ticks
        const Tensor rising = bent(at::clamp(ticks / up, 0, 1), curve * 0.2);
        const Tensor falling = 1 + (sustain - 1) * bent(at::clamp((ticks - up) / down, 0, 1), curve);
        return at::where(ticks < up.detach(), rising, falling);
    }
    Tensor envelope(int attack, const Tensor& ticks) const {
        const Tensor gate = at::scalar_tensor(static_cast<double>(m_note.gate), doubles());
        const Tensor from = held(attack, gate), length = v(attack + 3) * (m_note.rate / k_tick);
        const Tensor released = from * (1 - bent(at::clamp((ticks - gate) / length, 0, 1), v(attack + 4)));
        return at::where(ticks < gate, held(attack, ticks), released);
    }

    double pitch() const { return m_note.key + v(sub::p_pitch).item<double>(); }
    // One oscillator at 2^31, [tick, 16, 1].
    Tensor oscillator(int wave, double semitones, double start, const Tensor& width) const {
        const auto increment = static_cast<int64_t>(
            std::min(std::exp2((semitones - 69.0) / 12.0) * 440.0 / m_note.rate * 4294967296.0, 2104533975.0) + 0.5);
        const Tensor n =
            at::arange(1, static_cast<int64_t>(m_note.ticks) * k_tick + 1, at::TensorOptions().dtype(at::kLong));
        const auto begin = static_cast<int64_t>(start * 65536.0) << 16;
        const Tensor phase = n * increment + begin;
        const auto number = [&](const Tensor& p) {
            return (at::remainder(p + 2147483648LL, 4294967296LL) - 2147483648LL)
                .to(at::kDouble)
                .view({m_note.ticks, k_tick, 1});
        };
        const double step = static_cast<double>(increment);
        const auto saw = [&](const Tensor& s) {
            const Tensor distance = (k_half - s.abs()) / step; // to the jump, in frames
            const Tensor outer = at::clamp_min(2 - distance, 0), inner = at::clamp_min(1 - distance, 0);
            return s - at::copysign(at::pow(outer, 4) - 4 * at::pow(inner, 4), s) * (k_half / 12.0);
        };
        const Tensor s = number(phase);
        if (wave == sub::wave_sine) return at::sin(s * (M_PI / k_half)) * k_half;
        if (wave == sub::wave_saw) return saw(s);
        if (wave == sub::wave_pulse) {
            const auto shift =
                static_cast<int64_t>((std::clamp(width.item<double>(), 0.01, 0.99) - 0.5) * 4294967040.0) +
                2147483648LL;
            return saw(s) - saw(number(phase + shift));
        }
        const Tensor q = k_half - 2 * s.abs();
        const Tensor distance = (k_half - q.abs()) / (2 * step);
        const Tensor outer = at::clamp_min(2 - distance, 0), inner = at::clamp_min(1 - distance, 0);
        return q - at::copysign(at::pow(outer, 5) - 4 * at::pow(inner, 5), q) * (step / 30.0);
    }
    Tensor oscillators() const {
        const auto interval = [&](int first) {
            return 12.0 * v(first + 1).item<double>() + v(first + 2).item<double>() +
                   0.01 * v(first + 3).item<double>();
        };
        Tensor x = at::zeros({m_note.ticks, k_tick, 1}, doubles());
        if (has(sub::shape_osc1))
            x = x + at::clamp_min(v(sub::p_osc1_level), 0) *
                        oscillator(static_cast<int>(m_shape >> sub::shape_osc1_wave & 3u),
                                   pitch() + interval(sub::p_osc1_wave), v(sub::p_osc1_phase).item<double>(),
                                   v(sub::p_osc1_width));
        if (has(sub::shape_osc2))
            x = x + at::clamp_min(v(sub::p_osc2_level), 0) *
                        oscillator(static_cast<int>(m_shape >> sub::shape_osc2_wave & 3u),
                                   pitch() + interval(sub::p_osc2_wave), v(sub::p_osc2_phase).item<double>(),
                                   v(sub::p_osc2_width));
        if (has(sub::shape_sub))
            x = x + at::clamp_min(v(sub::p_sub_level), 0) *
                        oscillator(has(sub::shape_sub_square) ? sub::wave_pulse : sub::wave_sine,
                                   pitch() + interval(sub::p_osc1_wave) - 12.0, v(sub::p_osc1_phase).item<double>(),
                                   at::scalar_tensor(0.5, doubles()));
        return x;
    }
    Tensor filtered(const Tensor& x, int type, const Tensor& at_ticks) const {
        const Tensor key = v(sub::p_filter_key) * ((pitch() - 60.0) / 12.0);
        Tensor angle = at::log2(v(sub::p_cutoff)) + std::log2(M_PI / m_note.rate) + key;
        angle = angle + v(sub::p_filter_env) * envelope(sub::p_env2_attack, at_ticks);
        const Tensor g = at::tan(at::exp2(at::clamp(angle, -20, 0.62234)));
        const Tensor k = at::exp2(0.5 - 6 * at::clamp(v(sub::p_resonance), 0, 1));
        const Tensor a1 = 1 / (1 + g * (g + k));
        const Tensor zero = at::zeros({1}, doubles());
        const auto y =
            torch_filters::svf_scan(x, ramped(2 * a1 - 1), ramped(2 * g * a1), ramped(2 * g * g * a1), zero, zero);
        if (type == sub::filter_low) return y.low;
        if (type == sub::filter_band) return k * y.band;
        const Tensor high = 2 * x - y.low - k * y.band;
        return type == sub::filter_high ? high : high + y.low;
    }

    Note m_note;
    std::uint64_t m_shape = 0;
    std::vector<Tensor> m_value;
    std::vector<int> m_index;
};

Note note_of(double rate, int frames, float key, float velocity, double gate_seconds) {
    if (!(rate > 0.0) || frames < 4 * k_tick) throw std::runtime_error("the sound is too short");
    const int ticks = frames / k_tick;
    const int gate = std::clamp(static_cast<int>(std::lround(gate_seconds * rate / k_tick)), 1, ticks);
    return {rate, key, velocity, ticks, gate};
}

// Magnitudes at three resolutions: near in time, near in pitch, and between.
class Spectra {
public:
    explicit Spectra(const Tensor& target) : m_floor(1e-3 * target.abs().max().item<double>() + 1e-9) {
        for (const int size : {2048, 512, 128}) {
            if (target.size(0) < size) continue;
            m_size.push_back(size);
            m_window.push_back(at::hann_window(size, doubles()));
            m_target.push_back(magnitudes(target, m_size.size() - 1));
        }
        if (m_size.empty()) throw std::runtime_error("the sound is shorter than 128 frames");
    }
    Tensor loss(const Tensor& sound) const {
        Tensor sum = at::zeros({}, doubles());
        for (std::size_t i = 0; i < m_size.size(); ++i) {
            const Tensor own = magnitudes(sound, i);
            const double floor = m_floor * m_size[i] * 0.05;
            sum = sum + (own - m_target[i]).abs().mean() / m_target[i].mean() +
                  0.5 * (at::log(own + floor) - at::log(m_target[i] + floor)).abs().mean();
        }
        return sum / static_cast<double>(m_size.size());
    }

private:
    Tensor magnitudes(const Tensor& sound, std::size_t i) const {
        const Tensor bins = at::fft_rfft(sound.unfold(0, m_size[i], m_size[i] / 4) * m_window[i]);
        const Tensor parts = at::view_as_real(bins);
        return at::sqrt(parts.select(-1, 0).square() + parts.select(-1, 1).square() + 1e-12 * m_floor);
    }
    double m_floor;
    std::vector<int> m_size;
    std::vector<Tensor> m_window, m_target;
};

Tensor target_of(const TorchFit& fit, const Note& note) {
    return at::from_blob(const_cast<float*>(fit.target), {static_cast<int64_t>(note.ticks) * k_tick}, at::kFloat)
        .to(at::kDouble);
}

} // namespace

void render_twin(const TorchTwin& twin) {
    const Note note = note_of(twin.rate, twin.frames, twin.key, twin.velocity, twin.gate_seconds);
    const c10::AutoGradMode no_gradients(false);
    const Tensor sound = Twin(twin.values, nullptr, 0, note).sound().to(at::kFloat).contiguous();
    std::fill_n(twin.sound, twin.frames, 0.0f);
    std::copy_n(sound.data_ptr<float>(), sound.size(0), twin.sound);
}

double loss_gradient(const TorchFit& fit, double* gradient) {
    const Note note = note_of(fit.rate, fit.frames, fit.key, fit.velocity, fit.gate_seconds);
    Twin twin(fit.start, fit.free, fit.free_count, note);
    const Tensor loss = Spectra(target_of(fit, note)).loss(twin.sound());
    if (gradient != nullptr) {
        loss.backward();
        for (int i = 0; i < fit.free_count; ++i) {
            const Tensor& own = twin.place[static_cast<std::size_t>(i)].grad();
            gradient[i] = own.defined() ? own.item<double>() : 0.0;
        }
    }
    return loss.item<double>();
}

// Adam (D. Kingma and J. Ba, ICLR 2015) on the places in the parameters' ranges; the step falls along half a cosine. The best that was
// seen is what is given.
void fit_patch(TorchFit& fit) {
    const Note note = note_of(fit.rate, fit.frames, fit.key, fit.velocity, fit.gate_seconds);
    const Spectra spectra(target_of(fit, note));
    Twin twin(fit.start, fit.free, fit.free_count, note);
    const auto count = static_cast<std::size_t>(fit.free_count);
    std::vector<double> place(count), best(count), mean(count, 0.0), power(count, 0.0);
    for (std::size_t i = 0; i < count; ++i)
        best[i] = place[i] = twin.place[i].item<double>();
    double best_loss = 1e300;
    for (int step = 0; step <= fit.steps; ++step) {
        for (std::size_t i = 0; i < count; ++i)
            twin.place[i] = at::scalar_tensor(place[i], doubles()).requires_grad_(true);
        const Tensor loss = spectra.loss(twin.sound());
        const double now = loss.item<double>();
        if (step == 0) fit.first_loss = now;
        if (now < best_loss) {
            best_loss = now;
            best = place;
        }
        if (fit.progress != nullptr && fit.progress(fit.context, step, now) != 0)
            throw std::runtime_error("interrupted");
        if (step == fit.steps) break;
        loss.backward();
        const double size = 0.001 + 0.019 * (0.5 + 0.5 * std::cos(M_PI * step / fit.steps));
        for (std::size_t i = 0; i < count; ++i) {
            const Tensor& own = twin.place[i].grad();
            double g = own.defined() ? own.item<double>() : 0.0;
            if (!std::isfinite(g)) g = 0.0;
            mean[i] = 0.9 * mean[i] + 0.1 * g;
            power[i] = 0.99 * power[i] + 0.01 * g * g;
            const double m = mean[i] / (1.0 - std::pow(0.9, step + 1)), p = power[i] / (1.0 - std::pow(0.99, step + 1));
            place[i] = std::clamp(place[i] - size * m / (std::sqrt(p) + 1e-9), 0.0, 1.0);
        }
    }
    fit.last_loss = best_loss;
    std::copy_n(fit.start, sub::parameter_count, fit.fitted);
    for (std::size_t i = 0; i < count; ++i)
        fit.fitted[fit.free[i]] = static_cast<float>(value_at(fit.free[i], best[i]));
}

} // namespace tutti::gpu
