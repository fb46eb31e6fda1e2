// SPDX-License-Identifier: MIT
// What a host may ask for by name: parameters, state, ports, latency, tail, render, voices, presets.
#include <array>
#include <cstdio>
#include <cstring>
#include <string>

#include <clap/ext/audio-ports.h>
#include <clap/ext/latency.h>
#include <clap/ext/note-ports.h>
#include <clap/ext/state.h>

#include "plugin/clap/entry.h"
#include "plugin/clap/extensions.h"
#include "plugin/clap/wrapper.h"

namespace tutti::clap {
namespace {

// The same numbers as the other formats' ids where there is one: FNV-1a of the name, 31 bits.
constexpr clap_id hashed(const char* text) noexcept {
    std::uint32_t value = 2166136261u;
    for (; *text != '\0'; ++text)
        value = (value ^ static_cast<unsigned char>(*text)) * 16777619u;
    return value & 0x7fffffffu;
}

void copy(char* to, std::size_t size, const std::string& from) {
    std::snprintf(to, size, "%s", from.c_str());
}

const clap_plugin_params_t k_params = {
    [](const clap_plugin_t*) { return static_cast<std::uint32_t>(parameter_count()); },
    [](const clap_plugin_t*, std::uint32_t index, clap_param_info_t* info) {
        return index < static_cast<std::uint32_t>(parameter_count()) && parameter_info(static_cast<int>(index), *info);
    },
    [](const clap_plugin_t* plugin, clap_id id, double* value) {
        const int place = parameter_place(id);
        if (place < 0) return false;
        *value = Wrapper::of(plugin).value(place);
        return true;
    },
    [](const clap_plugin_t*, clap_id id, double value, char* display, std::uint32_t size) {
        const plugin::ParameterList& list = plugin::ParameterList::get();
        const int place = parameter_place(id);
        if (place < 0 || size == 0) return false;
        if (place >= list.size()) return std::snprintf(display, size, "%.3f", value) > 0;
        const plugin::ParameterInfo& info = list[place];
        const float plain =
            info.stepped() ? static_cast<float>(value) : value_from_normalised(*info.row, static_cast<float>(value));
        copy(display, size, value_text(*info.row, plain));
        return true;
    },
    [](const clap_plugin_t*, clap_id id, const char* display, double* value) {
        const plugin::ParameterList& list = plugin::ParameterList::get();
        const int place = parameter_place(id);
        if (place < 0 || place >= list.size()) return false;
        const plugin::ParameterInfo& info = list[place];
        const Result<float> read = value_from_text(*info.row, display);
        if (!read) return false;
        *value = static_cast<double>(info.stepped() ? *read : normalised_value(*info.row, *read));
        return true;
    },
    [](const clap_plugin_t* plugin, const clap_input_events_t* in, const clap_output_events_t* out) {
        Wrapper::of(plugin).flush(in, out);
    }};

const clap_plugin_state_t k_state = {
    [](const clap_plugin_t* plugin, const clap_ostream_t* stream) { return Wrapper::of(plugin).save(stream); },
    [](const clap_plugin_t* plugin, const clap_istream_t* stream) { return Wrapper::of(plugin).load(stream); }};

const clap_plugin_audio_ports_t k_audio_ports = {
    [](const clap_plugin_t*, bool input) { return std::uint32_t{input ? 0u : 1u}; },
    [](const clap_plugin_t*, std::uint32_t index, bool input, clap_audio_port_info_t* info) {
        if (input || index > 0) return false;
        *info = {};
        info->id = 0;
        copy(info->name, sizeof info->name, "Output");
        info->flags = CLAP_AUDIO_PORT_IS_MAIN;
        info->channel_count = 2;
        info->port_type = CLAP_PORT_STEREO;
        info->in_place_pair = CLAP_INVALID_ID;
        return true;
    }};

const clap_plugin_note_ports_t k_note_ports = {
    [](const clap_plugin_t*, bool input) { return std::uint32_t{input ? 1u : 0u}; },
    [](const clap_plugin_t*, std::uint32_t index, bool input, clap_note_port_info_t* info) {
        if (!input || index > 0) return false;
        *info = {};
        info->id = 0;
        info->supported_dialects = CLAP_NOTE_DIALECT_CLAP | CLAP_NOTE_DIALECT_MIDI | CLAP_NOTE_DIALECT_MIDI_MPE;
        info->preferred_dialect = CLAP_NOTE_DIALECT_CLAP;
        copy(info->name, sizeof info->name, "Notes");
        return true;
    }};

const clap_plugin_latency_t k_latency = {[](const clap_plugin_t* plugin) { return Wrapper::of(plugin).latency(); }};
const PluginTail k_plugin_tail = {[](const clap_plugin_t* plugin) { return Wrapper::of(plugin).tail(); }};

const PluginRender k_plugin_render = {[](const clap_plugin_t*) { return false; },
                                      [](const clap_plugin_t* plugin, std::int32_t mode) {
                                          Wrapper::of(plugin).set_offline(mode == k_render_offline);
                                          return mode == k_render_offline || mode == k_render_realtime;
                                      }};

const PluginVoiceInfo k_plugin_voices = {[](const clap_plugin_t* plugin, VoiceInfo* info) {
    const Patch patch = Wrapper::of(plugin).instance().patch();
    info->voice_capacity = 512;
    info->voice_count = patch.mode == PlayMode::poly ? static_cast<std::uint32_t>(patch.voices) : 1u;
    info->flags = k_overlapping_notes;
    return true;
}};

const PluginPresetLoad k_plugin_preset_load = {
    [](const clap_plugin_t* plugin, std::uint32_t kind, const char* location, const char* key) {
        return Wrapper::of(plugin).load_preset(kind, location, key);
    }};

} // namespace

int parameter_count() noexcept {
    return plugin::ParameterList::get().size() + k_inputs;
}

bool parameter_info(int place, clap_param_info_t& info) {
    const plugin::ParameterList& list = plugin::ParameterList::get();
    info = {};
    if (place >= list.size()) {
        const NoteInput& row = k_note_inputs[place - list.size()];
        info.id = hashed(row.id);
        // It rests where it is; a host's modulators move it, for one note or for all.
        info.flags = CLAP_PARAM_IS_READONLY | CLAP_PARAM_IS_MODULATABLE | CLAP_PARAM_IS_MODULATABLE_PER_NOTE_ID |
                     CLAP_PARAM_IS_MODULATABLE_PER_KEY | CLAP_PARAM_IS_MODULATABLE_PER_CHANNEL;
        copy(info.name, sizeof info.name, row.name);
        copy(info.module, sizeof info.module, "Note");
        info.min_value = row.minimum;
        info.max_value = row.maximum;
        info.default_value = row.rest;
        return true;
    }
    const plugin::ParameterInfo& p = list[place];
    info.id = p.number;
    info.flags = CLAP_PARAM_IS_AUTOMATABLE | (p.stepped() ? std::uint32_t{CLAP_PARAM_IS_STEPPED} : 0u);
    copy(info.name, sizeof info.name, p.name);
    copy(info.module, sizeof info.module, p.group);
    info.min_value = p.stepped() ? static_cast<double>(p.row->minimum) : 0.0;
    info.max_value = p.stepped() ? static_cast<double>(p.row->maximum) : 1.0;
    info.default_value = static_cast<double>(p.stepped() ? p.row->fallback : normalised_value(*p.row, p.row->fallback));
    return true;
}

int parameter_place(clap_id id) noexcept {
    const plugin::ParameterList& list = plugin::ParameterList::get();
    static constexpr auto k_ids = [] {
        std::array<clap_id, k_inputs> ids{};
        for (std::size_t i = 0; i < k_inputs; ++i)
            ids[i] = hashed(k_note_inputs[i].id);
        return ids;
    }();
    for (int i = 0; i < k_inputs; ++i)
        if (k_ids[static_cast<std::size_t>(i)] == id) return list.size() + i;
    return list.find_number(id);
}

const void* extension(const char* id) noexcept {
    const struct {
        const char* id;
        const void* table;
    } all[] = {{CLAP_EXT_PARAMS, &k_params},           {CLAP_EXT_STATE, &k_state},
               {CLAP_EXT_AUDIO_PORTS, &k_audio_ports}, {CLAP_EXT_NOTE_PORTS, &k_note_ports},
               {CLAP_EXT_LATENCY, &k_latency},         {k_tail, &k_plugin_tail},
               {k_render, &k_plugin_render},           {k_voice_info, &k_plugin_voices},
               {k_preset_load, &k_plugin_preset_load}, {k_preset_load_draft, &k_plugin_preset_load}};
    for (const auto& entry : all)
        if (id != nullptr && std::strcmp(entry.id, id) == 0) return entry.table;
    return nullptr;
}

} // namespace tutti::clap
