// SPDX-License-Identifier: MIT
// The differentiable twin: it sounds as the engine does, its gradients are those of finite differences, a fit finds a known patch.
#include <string>

#include "tests/gpu/torch/rig.h"

#include "voices/subtractive.h"

using namespace tutti;
namespace sub = voices::subtractive;

namespace {

const gpu::TorchTable* const library = torch_rig::library_or_skip();
constexpr double k_rate = 24000.0; // half the work

std::vector<float> defaults() {
    std::vector<float> values;
    for (const Parameter& p : sub::k_parameters)
        values.push_back(p.fallback);
    values[sub::p_osc_start] = 1.0f; // from its phase: the same sample by sample
    values[sub::p_env1_sustain] = 0.5f;
    values[sub::p_env1_decay] = 0.15f;
    values[sub::p_filter_env] = 2.0f;
    values[sub::p_cutoff] = 900.0f;
    values[sub::p_resonance] = 0.25f;
    return values;
}
std::vector<float> twin_of(const std::vector<float>& values, int frames, double gate, float key = 57.0f) {
    std::vector<float> sound(static_cast<std::size_t>(frames));
    char why[256] = "";
    const gpu::TorchTwin twin = {values.data(), frames, k_rate, key, 0.8f, gate, sound.data()};
    CAPTURE(std::string(why));
    REQUIRE(library->twin(&twin, why, sizeof why) == 0);
    return sound;
}
std::vector<float> engine_of(const std::vector<float>& values, int frames, int gate, int key) {
    Patch patch;
    for (int i = 0; i < sub::parameter_count; ++i)
        patch.parameters[sub::k_parameters[i].id] = static_cast<double>(values[static_cast<std::size_t>(i)]);
    auto engine = torch_rig::make_reference();
    auto stream = engine->open({.sample_rate = k_rate, .mode = Mode::offline, .parts = 1, .limiter = false}).value();
    REQUIRE(stream->set_patch(0, patch, 0).ok());
    auto sender = stream->make_sender().value();
    sender.post(Event::note_on(0, 0, key, 0.8));
    sender.post(Event::note_off(gate, 0, key));
    std::vector<float> left(static_cast<std::size_t>(frames)), right(left);
    float* out[] = {left.data(), right.data()};
    stream->pull(out, frames);
    return left;
}
gpu::TorchFit fit_of(const std::vector<float>& target, const std::vector<float>& start, const std::vector<int>& free,
                     double gate) {
    gpu::TorchFit fit;
    fit.target = target.data();
    fit.frames = static_cast<int>(target.size());
    fit.rate = k_rate;
    fit.start = start.data();
    fit.free = free.data();
    fit.free_count = static_cast<int>(free.size());
    fit.key = 57.0f;
    fit.velocity = 0.8f;
    fit.gate_seconds = gate;
    return fit;
}

} // namespace

TEST_CASE("the twin sounds as the engine does, through the low-pass to -80 dB, with its edges to -70 dB") {
    // Its envelopes and increments have no FP32 rounding: that is the difference.
    for (const int wave : {sub::wave_saw, sub::wave_pulse, sub::wave_triangle, sub::wave_sine})
        for (const int filter :
             {sub::filter_off, sub::filter_low, sub::filter_band, sub::filter_high, sub::filter_notch}) {
            auto values = defaults();
            values[sub::p_osc1_wave] = static_cast<float>(wave);
            values[sub::p_filter_type] = static_cast<float>(filter);
            CAPTURE(wave);
            CAPTURE(filter);
            const auto own = twin_of(values, 9600, 4800 / k_rate), reference = engine_of(values, 9600, 4800, 57);
            const double db = torch_rig::distance(own, reference);
            // What the low-pass takes away is where FP32 is coarse: an edge, the difference of large numbers.
            CHECK(db < (filter == sub::filter_low ? -80.0 : -70.0));
            if (filter == sub::filter_low) MESSAGE("wave " << wave << ": " << db << " dB");
        }
}

TEST_CASE("gradients agree with finite differences") {
    const auto target = engine_of(defaults(), 9600, 4800, 57);
    auto start = defaults();
    start[sub::p_cutoff] = 1700.0f;
    start[sub::p_level] = 0.3f;
    start[sub::p_env1_attack] = 0.0203f; // its end is no tick, where the loss has a kink
    const std::vector<int> free = {sub::p_cutoff,       sub::p_resonance,  sub::p_level,
                                   sub::p_env1_attack,  sub::p_env1_decay, sub::p_env1_sustain,
                                   sub::p_env1_release, sub::p_filter_env, sub::p_env2_decay};
    double gradient[16], loss = 0.0;
    char why[256] = "";
    const auto fit = fit_of(target, start, free, 0.2);
    REQUIRE(library->gradient(&fit, &loss, gradient, why, sizeof why) == 0);
    CHECK(loss > 0.1);
    for (std::size_t i = 0; i < free.size(); ++i) {
        const Parameter& p = sub::k_parameters[free[i]];
        CAPTURE(std::string(p.id));
        // A hundred-thousandth of the range: FP32 values allow no less; the loss has kinks (absolute values), so 1 % is asked.
        double side[2], moved[2];
        for (int s = 0; s < 2; ++s) {
            auto values = start;
            const double least = p.minimum, most = p.maximum,
                         at = static_cast<double>(start[static_cast<std::size_t>(free[i])]);
            const bool octaves = p.curve == Curve::exponential;
            const double place =
                octaves ? std::log(at / least) / std::log(most / least) : (at - least) / (most - least);
            const double to = place + (s == 0 ? -3e-5 : 3e-5);
            values[static_cast<std::size_t>(free[i])] =
                static_cast<float>(octaves ? least * std::pow(most / least, to) : least + to * (most - least));
            const double real = static_cast<double>(values[static_cast<std::size_t>(free[i])]);
            moved[s] = octaves ? std::log(real / least) / std::log(most / least) : (real - least) / (most - least);
            const auto there = fit_of(target, values, free, 0.2);
            REQUIRE(library->gradient(&there, &side[s], nullptr, why, sizeof why) == 0);
        }
        const double difference = (side[1] - side[0]) / (moved[1] - moved[0]);
        CHECK(std::fabs(gradient[i] - difference) < 0.01 * std::fabs(difference) + 1e-4);
        MESSAGE(std::string(p.id) << ": " << gradient[i] << ", by differences " << difference);
    }
}

TEST_CASE("a fit finds the cutoff, the envelope and the level of a known patch") {
    const auto known = defaults();
    const auto target = engine_of(known, 9600, 4800, 57);
    auto start = known;
    start[sub::p_cutoff] = 2500.0f;
    start[sub::p_level] = 0.2f;
    start[sub::p_env1_attack] = 0.03f;
    start[sub::p_env1_decay] = 0.4f;
    start[sub::p_env1_sustain] = 0.9f;
    start[sub::p_osc_start] = 0.0f; // nobody tells a recording's phase: spectra do not ask
    const std::vector<int> free = {sub::p_cutoff, sub::p_level, sub::p_env1_attack, sub::p_env1_decay,
                                   sub::p_env1_sustain};
    std::vector<float> fitted(sub::parameter_count);
    auto fit = fit_of(target, start, free, 0.2);
    fit.fitted = fitted.data();
    fit.steps = 200;
    char why[256] = "";
    REQUIRE(library->fit(&fit, why, sizeof why) == 0);
    MESSAGE("loss " << fit.first_loss << " -> " << fit.last_loss);
    CHECK(fit.last_loss < 0.1 * fit.first_loss);
    for (const int index : free) {
        const Parameter& p = sub::k_parameters[index];
        const double own = static_cast<double>(fitted[static_cast<std::size_t>(index)]),
                     real = static_cast<double>(known[static_cast<std::size_t>(index)]);
        CAPTURE(std::string(p.id));
        MESSAGE(std::string(p.id) << ": " << own << ", known " << real);
        // A tick is 0.7 ms here: an attack of 5 ms is seven of them.
        CHECK(std::fabs(own / real - 1.0) < (index == sub::p_env1_attack ? 0.25 : 0.05));
    }
    // Nothing else has moved.
    for (int i = 0; i < sub::parameter_count; ++i)
        if (std::find(free.begin(), free.end(), i) == free.end())
            CHECK(fitted[static_cast<std::size_t>(i)] == start[static_cast<std::size_t>(i)]);
}

TEST_CASE("what the twin has not is refused by name") {
    auto values = defaults();
    values[sub::p_filter_type] = static_cast<float>(sub::filter_ladder);
    std::vector<float> sound(960);
    char why[256] = "";
    const gpu::TorchTwin twin = {values.data(), 960, k_rate, 57.0f, 0.8f, 0.01, sound.data()};
    CHECK(library->twin(&twin, why, sizeof why) != 0);
    CHECK(std::string(why).find("ladder") != std::string::npos);
}
