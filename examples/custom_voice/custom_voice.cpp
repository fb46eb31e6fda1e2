// SPDX-License-Identifier: MIT
// A voice type of one's own, folded.h, played as any other: its parameters, a patch of it, a melody, a sound file's worth of
// samples. The build links it by tutti_add_voice(). See docs/examples/custom_voice.md.
#include <cmath>
#include <cstdio>
#include <vector>

#include <tutti/engine.h>
#include <tutti/tables.h>

int main() {
    const tutti::TypeTable* const table = tutti::voice_table("folded");
    if (table == nullptr) return 1;
    for (const tutti::Parameter& p : table->parameters)
        std::printf("%-14s %8g .. %-8g default %g\n", p.id, static_cast<double>(p.minimum),
                    static_cast<double>(p.maximum), static_cast<double>(p.fallback));

    const auto patch = tutti::Patch::from_json(R"({
        "tutti_patch": 1, "name": "Fold", "voice": "folded",
        "parameters": {"fold": 1.0, "fold_env": 5.0, "env1_release": 0.4},
        "routes": [{"source": "wheel", "target": "fold", "depth": 6.0}]})");
    auto engine = tutti::Engine::create();
    if (!patch || !engine) {
        std::fprintf(stderr, "%s\n", (patch ? engine.status() : patch.status()).message().c_str());
        return 1;
    }
    auto stream = (*engine)->open({.mode = tutti::Mode::offline}).value();
    if (!stream->set_patch(0, *patch).ok()) return 1;
    auto sender = stream->make_sender().value();
    const int keys[] = {48, 55, 60, 63, 67};
    for (int i = 0; i < 5; ++i) {
        sender.post(tutti::Event::note_on(12000 * i, 0, keys[i], 0.9));
        sender.post(tutti::Event::note_off(12000 * i + 10000, 0, keys[i]));
    }
    std::vector<float> left(96000), right(96000);
    float* out[] = {left.data(), right.data()};
    stream->pull(out, 96000);
    float peak = 0.0f;
    for (const float sample : left)
        peak = std::fmax(peak, std::fabs(sample));
    std::printf("2 s, peak %.2f\n", static_cast<double>(peak));
    return peak > 0.05f ? 0 : 1;
}
