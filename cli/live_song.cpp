// SPDX-License-Identifier: MIT
#include "cli/live_song.h"

#if defined(TUTTI_WITH_MODELS)

#include <optional>

#include "cli/generate.h"

namespace tutti::cli {

struct LiveSong::State {
    GenerateOptions options; // its model is the folder of --generate
    std::optional<GeneratePlan> plan;
    std::optional<GeneratedClip> clip;
};

LiveSong::LiveSong() : m_state(std::make_unique<State>()) {}
LiveSong::~LiveSong() = default;

void LiveSong::add_options(CLI::App& app) {
    GenerateOptions& o = m_state->options;
    app.add_option("--generate", o.model, "Also make a song with this folder of HeartMuLa, of --lyrics, and play it");
    app.add_option("--tags", o.tags, "Of the generated song: text, or a file of it, as piano,happy");
    o.given_length = option(app, "--length", o.length_s, "Seconds of the generated song at most");
    o.given_seed = app.add_option("--seed", o.seed, "Of the generated song; default: a new one, which is told");
    o.given_first = option(app, "--first-window", o.first_window_s,
                           "Seconds of the generated song's first window, such as 7.44; 0: as the others");
    o.given_steps = option(app, "--flow-steps", o.flow_steps, "Steps of the codec's solver a window");
    o.given_dtype = option(app, "--dtype", o.dtype, "Of the generating arithmetic: fp32 or bf16");
}

bool LiveSong::asked() const {
    return !m_state->options.model.empty();
}

Status LiveSong::prepare(const std::string& lyrics, bool quiet) {
    GenerateOptions& o = m_state->options;
    o.lyrics = lyrics;
    o.stream = true;
    if (o.dtype == "int8")
        return Status(Code::unsupported, "--dtype int8 is compared with fp32 before it is used", "nothing was played",
                      "use bf16, or `tutti generate --dtype int8`");
    auto plan = plan_generation(o);
    if (!plan) return plan.status();
    m_state->plan = std::move(plan).value();
    for (const std::string& note : m_state->plan->notes)
        if (!quiet) tell("note: {}\n", note);
    if (!quiet && o.given_seed->count() == 0) tell("seed {}\n", m_state->plan->request.seed);
    return {};
}

void LiveSong::begin(Engine& engine, std::shared_ptr<Stream> stream, int part) {
    m_state->clip.emplace(engine, std::move(stream), part, *m_state->plan);
}
void LiveSong::end() {
    m_state->clip.reset();
}
bool LiveSong::goes_on() const {
    return m_state->clip && !m_state->clip->heard();
}
Status LiveSong::status() const {
    return m_state->clip ? m_state->clip->status() : Status();
}
std::string LiveSong::line() const {
    return goes_on() ? m_state->clip->line() : std::string();
}

} // namespace tutti::cli

#else

namespace tutti::cli {

struct LiveSong::State {};
LiveSong::LiveSong() = default;
LiveSong::~LiveSong() = default;
void LiveSong::add_options(CLI::App&) {}
bool LiveSong::asked() const {
    return false;
}
Status LiveSong::prepare(const std::string&, bool) {
    return {};
}
void LiveSong::begin(Engine&, std::shared_ptr<Stream>, int) {}
void LiveSong::end() {}
bool LiveSong::goes_on() const {
    return false;
}
Status LiveSong::status() const {
    return {};
}
std::string LiveSong::line() const {
    return {};
}

} // namespace tutti::cli

#endif
