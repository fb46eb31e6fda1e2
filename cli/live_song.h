// SPDX-License-Identifier: MIT
// A song that is generated while the synth plays, and heard beside it: `tutti play --generate`. Where the models are not built
// there is no such option, and nothing is ever asked for.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include <tutti/engine.h>

namespace tutti::cli {

// Used by one control thread.
class LiveSong {
public:
    LiveSong();
    ~LiveSong();
    LiveSong(const LiveSong&) = delete;
    LiveSong& operator=(const LiveSong&) = delete;

    void add_options(CLI::App& app);
    bool asked() const;
    // Reads texts and files and refuses what cannot be; `lyrics` is a text or the name of a file. [control]
    Status prepare(const std::string& lyrics, bool quiet);
    // Generates on the engine's worker, into a clip on `part`. Whoever begins also ends it, before the stream goes. [control]
    void begin(Engine& engine, std::shared_ptr<Stream> stream, int part);
    void end();
    bool goes_on() const;     // it is being made, or heard
    Status status() const;    // of the generation, once that has ended
    std::string line() const; // progress for a terminal; empty where nothing goes on

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace tutti::cli
