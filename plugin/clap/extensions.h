// SPDX-License-Identifier: MIT
// Extensions of CLAP 1.1 that Debian's copy of its headers leaves out: the binary interface as the standard fixes it.
#pragma once

#include <cstdint>

#include <clap/plugin.h>

namespace tutti::clap {

// Frames that sound after the last event and input; the latency belongs to it; INT32_MAX and more: for ever.
inline constexpr char k_tail[] = "clap.tail";
struct PluginTail {
    std::uint32_t (*get)(const clap_plugin_t* plugin); // main or audio thread
};
struct HostTail {
    void (*changed)(const clap_host_t* host); // audio thread
};

inline constexpr char k_render[] = "clap.render";
inline constexpr std::int32_t k_render_realtime = 0, k_render_offline = 1;
struct PluginRender {
    bool (*has_hard_realtime_requirement)(const clap_plugin_t* plugin); // main thread
    bool (*set)(const clap_plugin_t* plugin, std::int32_t mode);        // main thread
};

inline constexpr char k_voice_info[] = "clap.voice-info";
inline constexpr std::uint64_t k_overlapping_notes = 1; // told apart by their ids
struct VoiceInfo {
    std::uint32_t voice_count;    // that the patch can use
    std::uint32_t voice_capacity; // that there are
    std::uint64_t flags;
};
struct PluginVoiceInfo {
    bool (*get)(const clap_plugin_t* plugin, VoiceInfo* info); // main thread, active
};
struct HostVoiceInfo {
    void (*changed)(const clap_host_t* host); // main thread
};

inline constexpr char k_preset_load[] = "clap.preset-load/2";
inline constexpr char k_preset_load_draft[] = "clap.preset-load.draft/2";
inline constexpr std::uint32_t k_location_file = 0, k_location_plugin = 1;
struct PluginPresetLoad {
    bool (*from_location)(const clap_plugin_t* plugin, std::uint32_t kind, const char* location, const char* key);
};
struct HostPresetLoad {
    void (*on_error)(const clap_host_t* host, std::uint32_t kind, const char* location, const char* key,
                     std::int32_t system_error, const char* message);
    void (*loaded)(const clap_host_t* host, std::uint32_t kind, const char* location, const char* key);
};

} // namespace tutti::clap
