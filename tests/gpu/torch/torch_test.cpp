// SPDX-License-Identifier: MIT
// The torch backend against the scalar reference: what it takes agrees to -90 dBFS, what it does not take has the CPU's bits.
#include <fstream>
#include <string>

#include "tests/gpu/torch/rig.h"

#include "gpu/discovery.h"

using namespace tutti;

namespace {

std::string maps() {
    std::ifstream file("/proc/self/maps");
    return {std::istreambuf_iterator<char>(file), {}};
}
// Before the library is opened: what `auto` finds on a machine without a GPU, and what is in the process then.
const bool auto_loads_torch = [] {
    const gpu::Discovery found = gpu::discover(gpu::read_settings([](const char*) -> const char* { return nullptr; }));
    return found.chosen.find("torch") != std::string::npos || maps().find("libtorch") != std::string::npos;
}();
const gpu::TorchTable* const library = torch_rig::library_or_skip();

struct Subject {
    const char* what;
    const char* voice;
    std::map<std::string, double> parameters;
    std::vector<PatchRoute> routes;
    double least_db = -90.0;
};
const std::vector<Subject> k_subjects = {
    {"a saw through the low-pass", "subtractive", {{"cutoff", 1500}, {"resonance", 0.3}}, {}},
    {"a filter sweep",
     "subtractive",
     {{"cutoff", 400}, {"resonance", 0.5}, {"filter_env", 4}, {"env2_decay", 0.05}},
     {}},
    {"without a filter", "subtractive", {{"filter_type", 0}, {"osc1_wave", 2}}, {}},
    {"two oscillators, ring, sub and noise through the band-pass",
     "subtractive",
     {{"osc1_wave", 1},
      {"osc2_wave", 2},
      {"osc2_fine", 7},
      {"osc2_level", 0.6},
      {"ring_level", 0.4},
      {"sub_level", 0.5},
      {"sub_wave", 1},
      {"noise_level", 0.1},
      {"filter_type", 2}},
     {}},
    {"pink noise, a sine and its sub through the notch",
     "subtractive",
     {{"osc1_wave", 3}, {"sub_level", 0.5}, {"noise_level", 0.3}, {"noise_color", 1}, {"filter_type", 4}},
     {}},
    {"unison through the high-pass", "subtractive", {{"unison_voices", 5}, {"filter_type", 3}, {"cutoff", 300}}, {}},
    {"vibrato and a moving width",
     "subtractive",
     {{"osc1_wave", 1}, {"lfo1_rate", 6}},
     {{"lfo1", "pitch", 0.5}, {"lfo1", "osc1_width", 0.3}}},
    {"operators in a chain", "fm", {{"algorithm", 1}, {"feedback", 0}}, {}},
    {"operators side by side, vibrato", "fm", {{"algorithm", 32}, {"feedback", 0}, {"pitch_depth", 0.3}}, {}},
    {"a pad", "ambient_pad", {{"env1_attack", 0.02}, {"noise_level", 0.2}, {"sub_level", 0.3}}, {}},
    {"torchsynth's voice", "torchsynth_voice", {}, {}},
};
Patch patch_of(const Subject& subject, Quality quality) {
    Patch patch;
    patch.voice = subject.voice;
    patch.parameters = subject.parameters;
    patch.routes = subject.routes;
    patch.quality = quality;
    return patch;
}

} // namespace

TEST_CASE("auto on a machine without a GPU loads no libtorch, and does not choose it") {
    CHECK_FALSE(auto_loads_torch);
    CHECK(maps().find("libtorch_cpu") != std::string::npos); // now it is there: the look would have found it
    CHECK(gpu::torch_library_is_open());
}

TEST_CASE("what tensors take agrees with the scalar reference to -90 dBFS") {
    constexpr int k_frames = 9600;
    for (const Subject& subject : k_subjects)
        for (const Quality quality : {Quality::eco, Quality::standard}) {
            CAPTURE(std::string(subject.what));
            CAPTURE(static_cast<int>(quality));
            const Patch patch = patch_of(subject, quality);
            const auto reference = torch_rig::play(*torch_rig::make_reference(), patch, k_frames);
            for (const bool pure : {false, true}) {
                auto rig = torch_rig::make(pure);
                const auto own = torch_rig::play(*rig.engine, patch, k_frames);
                const gpu::TorchStats stats = rig.stats();
                const double db = torch_rig::distance(own, reference);
                CAPTURE(pure);
                CHECK(db < subject.least_db);
                CHECK_FALSE(stats.lost);
                // Blocks in which a note begins or ends are the CPU's; the other ones are not.
                CHECK(stats.voice_blocks > 4 * stats.cpu_voice_blocks);
                MESSAGE(std::string(subject.what)
                        << std::string(pure ? ", tensors alone: " : ": ") << db << " dB, " << stats.voice_blocks
                        << " voice blocks, " << stats.cpu_voice_blocks << " on the CPU");
            }
        }
}

TEST_CASE("mono, and the same bits from run to run") {
    const Patch patch = patch_of(k_subjects[3], Quality::standard);
    const auto reference = torch_rig::play(*torch_rig::make_reference(), patch, 3200, 1);
    auto first = torch_rig::make(), second = torch_rig::make();
    const auto own = torch_rig::play(*first.engine, patch, 3200, 1);
    CHECK(torch_rig::distance(own, reference) < -90.0);
    CHECK(own == torch_rig::play(*second.engine, patch, 3200, 1));
}

TEST_CASE("a planted error of a thousandth of a semitone is found") {
    Patch patch = patch_of(k_subjects[0], Quality::standard);
    const auto reference = torch_rig::play(*torch_rig::make_reference(), patch, 3200);
    patch.parameters["osc1_fine"] = 0.1;
    auto rig = torch_rig::make();
    CHECK(torch_rig::distance(torch_rig::play(*rig.engine, patch, 3200), reference) > -90.0);
}

TEST_CASE("what tensors do not take stays on the CPU, with its bits") {
    const std::vector<Subject> others = {
        {"ladder", "subtractive", {{"filter_type", 5}}, {}},
        {"hard sync", "subtractive", {{"osc2_level", 1}, {"osc_sync", 1}}, {}},
        {"audio-rate cutoff", "subtractive", {{"osc2_level", 0.5}, {"filter_fm", 2}}, {}},
        {"feedback", "fm", {{"feedback", 5}}, {}},
        {"drums", "drum", {}, {}},
    };
    for (const Subject& subject : others) {
        CAPTURE(std::string(subject.what));
        const Patch patch = patch_of(subject, Quality::standard);
        auto rig = torch_rig::make();
        CHECK(torch_rig::play(*rig.engine, patch, 2000) == torch_rig::play(*torch_rig::make_reference(), patch, 2000));
        CHECK(rig.stats().voice_blocks == 0);
    }
    auto rig = torch_rig::make();
    const Patch ultra = patch_of(k_subjects[0], Quality::ultra);
    CHECK(torch_rig::play(*rig.engine, ultra, 2000) == torch_rig::play(*torch_rig::make_reference(), ultra, 2000));
}

TEST_CASE("a device that is not there is an error that says so") {
    const auto made = gpu::TorchBackend::make({.device = "cuda"}, engine::make_cpu_backend(1, engine::Isa::scalar));
    if (made) return; // a machine with one
    CHECK(made.status().code() == Code::unsupported);
    CHECK(made.status().message().find("cuda") != std::string::npos);
    CHECK_FALSE(gpu::TorchBackend::make({.device = "abacus"}, engine::make_cpu_backend(1, engine::Isa::scalar)).ok());
}
