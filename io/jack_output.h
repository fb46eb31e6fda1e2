// SPDX-License-Identifier: MIT
// Output to a JACK server (or PipeWire in its place) through the client library, which is looked up at run time.
//
// PortAudio would do, but for one thing: it cannot close a client whose server has died (it waits ten minutes for a block that
// never comes), and libjack frees such a client when the next one is opened. So a program could not come back to a server that
// was started anew. Here a dead client is closed at once, and before any other is opened.
#pragma once

#include <optional>
#include <string>

#include "io/output_driver.h"

namespace tutti::io {

inline constexpr const char* k_jack_api = "JACK Audio Connection Kit";

// Whether there is a client library to speak through. [control]
bool has_jack_library() noexcept;

// The clients of the server that take sound, numbered from `first`; none where no server runs. [control]
std::vector<AudioDevice> list_jack_outputs(int first);
// The block size is the server's, whatever `config` asks for. [control]
Result<std::unique_ptr<OutputDriver>> open_jack_output(const AudioDevice& device, const OutputConfig& config,
                                                       std::shared_ptr<BlockFeed> feed);

// No JACK server is found by other libraries of this process while this lives. [control]
class HiddenJack {
public:
    HiddenJack();
    ~HiddenJack();
    HiddenJack(const HiddenJack&) = delete;
    HiddenJack& operator=(const HiddenJack&) = delete;

private:
    std::optional<std::string> m_server, m_pipewire;
    bool m_hides = false;
};

} // namespace tutti::io
