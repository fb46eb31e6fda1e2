// SPDX-License-Identifier: MIT
// A small synthesizer that passes every check, and fails exactly one where the environment names it: TUTTI_PLANTED=state.bytes.
// Over 400 lines: it is a whole plugin, and has a fault for every check.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>
#include <numbers>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__SSE__) || defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <clap/entry.h>
#include <clap/ext/audio-ports.h>
#include <clap/ext/latency.h>
#include <clap/ext/note-ports.h>
#include <clap/ext/params.h>
#include <clap/ext/state.h>
#include <clap/plugin-factory.h>

#include "plugin/clap/extensions.h"

#if defined(TUTTI_PLANTED_SYMBOL) && defined(__GNUC__)
extern "C" [[gnu::visibility("default")]] int helper_that_everybody_sees();
int helper_that_everybody_sees() {
    return 1;
}
#endif

namespace {

const std::string& fault() {
    static const std::string name = std::getenv("TUTTI_PLANTED") == nullptr ? "" : std::getenv("TUTTI_PLANTED");
    return name;
}
bool planted(const char* name) {
    return fault() == name;
}

constexpr float k_nan = std::numeric_limits<float>::quiet_NaN();
constexpr int k_parameters = 4;
struct Row {
    const char* name;
    double minimum, maximum, standard;
    bool stepped;
};
constexpr Row k_rows[k_parameters] = {{"Gain", 0.0, 1.0, 0.5, false},
                                      {"Tune", -100.0, 100.0, 0.0, false},
                                      {"Shape", 0.0, 3.0, 0.0, true},
                                      {"Bite", 0.0, 1.0, 0.25, false}};

std::atomic<int> g_alive{0}, g_working{0}, g_loaded{0};
std::mutex g_mutex;

struct OnLoad {
    OnLoad() {
        if (planted("scan.float_state")) set_flush();
        if (planted("scan.second_copy")) {
            const char* const count = std::getenv("TUTTI_PLANTED_COPIES");
            setenv("TUTTI_PLANTED_COPIES", std::to_string((count == nullptr ? 0 : std::atoi(count)) + 1).c_str(), 1);
        }
        if (planted("scan.unload")) {
            const int turn = static_cast<int>(reinterpret_cast<std::uintptr_t>(sbrk(0)) & 1);
            char* const two =
                static_cast<char*>(mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
            mprotect(two + 4096, 4096, turn ? PROT_NONE : PROT_READ); // so that the kernel does not merge them
        }
    }
    ~OnLoad() {
        if (const char* const count = std::getenv("TUTTI_PLANTED_COPIES");
            planted("scan.second_copy") && count != nullptr)
            setenv("TUTTI_PLANTED_COPIES", std::to_string(std::atoi(count) - 1).c_str(), 1);
    }
    static void set_flush() {
#if defined(__SSE__) || defined(__x86_64__)
        _mm_setcsr(_mm_getcsr() | 0x8040u);
#endif
    }
} g_on_load;

struct Voice {
    bool on = false, held = false, delayed = false;
    int key = 0, channel = 0, note_id = -1;
    double phase = 0.0, tuning = 0.0, modulation[k_parameters] = {};
    float level = 0.0f, velocity = 0.0f;
    int wait = 0, age = 0, since_off = 0;
};

struct Synth {
    clap_plugin_t plugin{};
    const clap_host_t* host = nullptr;
    double values[k_parameters];
    std::string unknown;
    Voice voices[64];
    double rate = 48000.0, previous_rate = 0.0, bend = 0.0, hertz_factor = 1.0;
    std::uint32_t max_frames = 0;
    std::int64_t frame = 0;
    int activations = 0, fault_page = 0;
    bool active = false, offline = false, any_note = false, silent = false, odd = false, late_load = false,
         ran_long = false, loaded_others = false, not_default_loaded = false, poisoned = false, hum = false;
    std::atomic<int> blocks{0};
    char* pages = nullptr;
    std::thread::id home = std::this_thread::get_id();

    Synth() {
        for (int i = 0; i < k_parameters; ++i)
            values[i] = k_rows[i].standard;
        if (planted("parameters.info")) values[3] = 0.5;
        ++g_alive;
        if (planted("instances.cycle")) (void)!open("/dev/null", O_RDONLY);
        if (planted("realtime.faults"))
            pages = static_cast<char*>(
                mmap(nullptr, 5000ul * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    }
    ~Synth() {
        --g_alive;
        if (pages != nullptr) munmap(pages, 5000ul * 4096);
    }

    void silence() {
        for (Voice& voice : voices)
            voice.on = false;
    }

    void note_on(int key, int channel, int note_id, double velocity, std::uint32_t time) {
        any_note = true;
        for (Voice& voice : voices)
            if (voice.on && voice.held && voice.key == key && voice.channel == channel && voice.note_id == note_id)
                voice.held = false;
        Voice* to = &voices[0];
        for (Voice& voice : voices) {
            if (!voice.on) {
                to = &voice;
                break;
            }
            if (voice.age > to->age) to = &voice;
        }
        *to = Voice{};
        to->on = to->held = true;
        to->key = key;
        to->channel = channel;
        to->note_id = note_id;
        to->velocity = static_cast<float>(velocity);
        if (planted("sound.onset") && time == 1000) to->wait = 100;
    }
    bool matches(const Voice& voice, int key, int channel, int note_id) const {
        return voice.on && (key < 0 || voice.key == key) && (channel < 0 || voice.channel == channel) &&
               (note_id < 0 || voice.note_id == note_id);
    }
    void note_off(int key, int channel, int note_id) {
        if (planted("events.stuck") && key >= 120) return;
        for (Voice& voice : voices)
            if (matches(voice, key, channel, note_id)) voice.held = false;
    }
    void midi(const std::uint8_t* d, std::uint32_t time) {
        const int channel = d[0] & 15;
        switch (d[0] & 0xf0) {
        case 0x90:
            if (d[2] > 0)
                note_on(d[1], channel, -1, d[2] / 127.0, time);
            else
                note_off(d[1], channel, -1);
            break;
        case 0x80:
            note_off(d[1], channel, -1);
            break;
        case 0xb0:
            if (planted("events.panic")) break;
            if (d[1] == 120) silence();
            if (d[1] == 123) note_off(-1, channel, -1);
            break;
        case 0xd0:
            poisoned = poisoned || planted("events.any_midi");
            break;
        case 0xe0:
            bend = ((d[1] | d[2] << 7) - 8192) / 8192.0 * 2.0;
            break;
        }
    }
    void set(std::uint32_t id, double value) {
        if (id >= k_parameters) return;
        const Row& row = k_rows[id];
        if (planted("parameters.fuzz") && !(value >= row.minimum && value <= row.maximum)) {
            values[id] = value > 0.0 ? 2.0 * row.maximum + 1.0 : value;
            return;
        }
        if (std::isnan(value)) return;
        if (planted("parameters.all") && value == row.maximum) value = row.minimum + 0.9 * (row.maximum - row.minimum);
        values[id] = std::clamp(row.stepped ? std::round(value) : value, row.minimum, row.maximum);
    }
    void take(const clap_event_header_t* event) {
        if (event->space_id != CLAP_CORE_EVENT_SPACE_ID && !planted("clap.other_spaces")) return;
        switch (event->type) {
        case CLAP_EVENT_NOTE_ON: {
            const auto* note = reinterpret_cast<const clap_event_note_t*>(event);
            note_on(note->key, note->channel, note->note_id, note->velocity, event->time);
            break;
        }
        case CLAP_EVENT_NOTE_OFF: {
            const auto* note = reinterpret_cast<const clap_event_note_t*>(event);
            if (planted("clap.wildcards") && note->key < 0) break;
            note_off(note->key, note->channel, note->note_id);
            break;
        }
        case CLAP_EVENT_NOTE_CHOKE: {
            const auto* note = reinterpret_cast<const clap_event_note_t*>(event);
            for (Voice& voice : voices)
                if (matches(voice, note->key, note->channel, note->note_id) && !planted("clap.choke")) voice.on = false;
            break;
        }
        case CLAP_EVENT_NOTE_EXPRESSION: {
            const auto* note = reinterpret_cast<const clap_event_note_expression_t*>(event);
            const bool all = planted("parameters.modulation");
            for (Voice& voice : voices)
                if (all || matches(voice, note->key, note->channel, note->note_id)) {
                    if (note->expression_id == CLAP_NOTE_EXPRESSION_TUNING) voice.tuning = note->value;
                    if (note->expression_id == CLAP_NOTE_EXPRESSION_VOLUME && !planted("clap.expressions"))
                        voice.velocity = static_cast<float>(0.8 * note->value);
                }
            break;
        }
        case CLAP_EVENT_PARAM_VALUE: {
            const auto* change = reinterpret_cast<const clap_event_param_value_t*>(event);
            set(change->param_id, change->value);
            break;
        }
        case CLAP_EVENT_PARAM_MOD: {
            const auto* change = reinterpret_cast<const clap_event_param_mod_t*>(event);
            for (Voice& voice : voices)
                if (change->param_id < k_parameters && matches(voice, change->key, change->channel, change->note_id))
                    voice.modulation[change->param_id] = change->amount;
            break;
        }
        case CLAP_EVENT_MIDI:
            midi(reinterpret_cast<const clap_event_midi_t*>(event)->data, event->time);
            break;
        }
    }

    void sound(float* left, float* right, std::uint32_t from, std::uint32_t to, float gain) {
        for (std::uint32_t i = from; i < to; ++i) {
            double sum = 0.0;
            for (Voice& voice : voices) {
                if (!voice.on) continue;
                ++voice.age;
                if (voice.wait > 0) {
                    --voice.wait;
                    continue;
                }
                const double step = voice.held ? 1.0 / 64.0 : -1.0 / 480.0;
                voice.level = static_cast<float>(std::clamp(static_cast<double>(voice.level) + step, 0.0, 1.0));
                if (!voice.held) ++voice.since_off;
                float level = voice.level;
                if (hum && !voice.held && voice.since_off < 20000)
                    level = std::max(level, 0.02f);
                else if (voice.level == 0.0f) {
                    voice.on = false;
                    continue;
                }
                const double cents =
                    values[1] + voice.modulation[1] + (planted("sound.pitch") && voice.key == 57 ? -5.0 : 0.0);
                voice.phase += 440.0 * std::exp2((voice.key - 69 + bend + voice.tuning + cents / 100.0) / 12.0) *
                               hertz_factor / rate;
                voice.phase -= std::floor(voice.phase);
                const double angle = 2.0 * std::numbers::pi * (voice.phase + (odd ? 0.1 : 0.0));
                const double bite = std::clamp(values[3] + voice.modulation[3], 0.0, 1.0);
                sum +=
                    (std::sin(angle) + 0.1 * bite * std::sin(2.0 * angle) + 0.05 * values[2] * std::sin(3.0 * angle)) *
                    static_cast<double>(level * voice.velocity) * 0.3 *
                    std::clamp(values[0] + voice.modulation[0], 0.0, 1.0);
            }
            left[i] = right[i] = std::clamp(static_cast<float>(sum) * gain, -1.0f, 1.0f);
        }
    }

    clap_process_status process(const clap_process_t* p) {
        if (!active) return CLAP_PROCESS_ERROR;
        float* const left = p->audio_outputs[0].data32[0];
        float* const right = p->audio_outputs[0].data32[1];
        const std::uint32_t frames = p->frames_count, count = p->in_events->size(p->in_events);
        float gain = 1.0f;
        int at_once = 0;
        bool poison = poisoned;
        if (planted("sound.level") && max_frames == 64) gain = 0.005f;
        if (planted("audio.offline") && offline && max_frames == 480) gain = 0.5f;
        if (planted("audio.block_sizes") && max_frames == 24000 && frames % 16 != 0) gain = 0.9f;
        if (planted("audio.thread") && std::this_thread::get_id() != home) gain = 0.9f;
        if (planted("instances.many") && g_alive > 8) gain = 0.9f;
        if (planted("scan.second_copy") && std::getenv("TUTTI_PLANTED_COPIES") != nullptr &&
            std::atoi(std::getenv("TUTTI_PLANTED_COPIES")) > 1)
            gain = 0.9f;
        if (planted("life.suspend") && activations > 10) gain = 0.9f;
        if (planted("instances.parallel")) {
            if (++g_working > 1) gain = 0.5f;
            // So that two meet on any machine: the first waits for another, half a second where there is none.
            for (int wait = 0; wait < 500 && frame == 0 && g_working < 2; ++wait)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        if (planted("audio.float_state")) OnLoad::set_flush();
        if (planted("realtime.heap")) {
            static void* volatile g_kept = nullptr; // so that no compiler leaves the pair out
            g_kept = std::malloc(64);
            std::free(g_kept);
        }
        if (planted("realtime.locks")) const std::lock_guard guard(g_mutex);
        if (planted("realtime.system_calls")) sched_yield();
        if (planted("realtime.faults") && fault_page < 4999) pages[4096 * ++fault_page] = 1;
        if (planted("events.transport") && p->transport != nullptr && !(p->transport->tempo > 0.0)) poison = true;
        if (planted("state.while_processing") && late_load && max_frames == 64) poison = true;
        late_load = false;
        if (planted("events.flood") && count > 10000) silent = true;
        if (planted("audio.finite"))
            for (std::uint32_t i = 0; i < frames && p->audio_inputs_count > 0; ++i)
                poison = poison || p->audio_inputs[0].data32[0][i] > 0.999f;
        hum = planted("sound.tail");
        bool sounding = count > 0;
        for (const Voice& voice : voices)
            sounding = sounding || voice.on;

        std::uint32_t at = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            const clap_event_header_t* event = p->in_events->get(p->in_events, i);
            std::uint32_t time = std::min(event->time, frames);
            const bool is_change = event->type == CLAP_EVENT_PARAM_VALUE;
            at_once += static_cast<int>(is_change && event->time == 0);
            if (is_change && planted("parameters.sample_accurate")) time = 0;
            if (is_change && planted("parameters.threads") && max_frames == 32)
                if (const auto* state =
                        static_cast<const clap_host_state_t*>(host->get_extension(host, CLAP_EXT_STATE)))
                    state->mark_dirty(host);
            if (time > at) {
                sound(left, right, at, time, gain);
                at = time;
            }
            take(event);
        }
        sound(left, right, at, frames, gain);
        if (planted("parameters.automation") && at_once >= 9) poison = true;
        if (planted("sound.silence") && !any_note && frame > 20000) left[0] = 1e-6f;
        if (silent) {
            std::fill(left, left + frames, 0.0f);
            std::fill(right, right + frames, 0.0f);
        }
        if (poison && frames > 0) left[frames / 2] = k_nan;
        if (planted("audio.larger_block") && frames > max_frames) left[frames] = left[frames + 1] = 0.0f;
        if (planted("audio.buffers") && frames == 333) left[-1] = 0.0f;
        if (planted("instances.parallel")) --g_working;
        frame += frames;
        ran_long = ran_long || frame >= 20000;
        ++blocks;
        if (planted("clap.output")) p->audio_outputs[0].channel_count = 1;
        p->audio_outputs[0].constant_mask = planted("clap.constant_mask") || !sounding ? 3 : 0;
        return sounding && !planted("clap.sleep") ? CLAP_PROCESS_CONTINUE : CLAP_PROCESS_SLEEP;
    }

    bool save(const clap_ostream_t* stream) const {
        char text[400];
        std::string all = "{" + unknown + "\"planted\":1,\"values\":[";
        for (int i = 0; i < k_parameters; ++i) {
            std::snprintf(text, sizeof text, "%s%.17g", i > 0 ? "," : "", values[i]);
            all += text;
        }
        all += "]}";
        if (planted("state.bytes") && not_default_loaded) all += "\n";
        for (std::size_t at = 0; at < all.size();) {
            const std::int64_t n = stream->write(stream, all.data() + at, all.size() - at);
            if (n <= 0) return false;
            at += static_cast<std::size_t>(n);
        }
        return true;
    }
    bool load(const clap_istream_t* stream) {
        std::string all;
        char piece[4096];
        for (std::int64_t n; (n = stream->read(stream, piece, sizeof piece)) != 0;) {
            if (n < 0) {
                if (planted("clap.state_stream")) break;
                return false;
            }
            all.append(piece, static_cast<std::size_t>(n));
            if (planted("state.pieces")) break;
        }
        if (planted("state.empty") && all.empty()) return true;
        if (planted("state.noise") && all.size() > 100000) return true;
        if (planted("state.prefixes") && !all.empty() && all.size() < 20) std::abort();
        if (planted("clap.state_stream") && all.empty()) return true;
        const std::size_t begin = all.find("\"planted\":1,\"values\":[");
        if (all.empty() || all[0] != '{' || begin == std::string::npos) return false;
        double read[k_parameters];
        const char* at = all.c_str() + begin + 22;
        for (int i = 0; i < k_parameters; ++i) {
            char* end = nullptr;
            read[i] = std::strtod(at, &end);
            if (end == at || !(read[i] >= k_rows[i].minimum && read[i] <= k_rows[i].maximum) ||
                *end != (i + 1 < k_parameters ? ',' : ']'))
                return false;
            at = end + 1;
        }
        if (*at != '}') return false;
        int others = 0;
        for (int i = 0; i < k_parameters; ++i)
            others += static_cast<int>(read[i] != k_rows[i].standard);
        for (int i = 0; i < k_parameters; ++i)
            if (!planted("state.parameters") || others != 1 || read[i] == k_rows[i].standard) values[i] = read[i];
        not_default_loaded = others > 0;
        if (planted("state.round_trip") && others > 0) odd = (++g_loaded & 1) != 0;
        unknown = planted("state.unknown_keys") ? "" : all.substr(1, begin - 1);
        late_load = active && frame > 0;
        return true;
    }
};

Synth& of(const clap_plugin_t* plugin) {
    return *static_cast<Synth*>(plugin->plugin_data);
}

const clap_plugin_params_t k_params = {
    [](const clap_plugin_t*) { return std::uint32_t{k_parameters}; },
    [](const clap_plugin_t*, std::uint32_t index, clap_param_info_t* info) {
        if (index >= k_parameters) return false;
        const Row& row = k_rows[index];
        *info = {};
        info->id = index;
        info->flags = CLAP_PARAM_IS_AUTOMATABLE | CLAP_PARAM_IS_MODULATABLE | CLAP_PARAM_IS_MODULATABLE_PER_NOTE_ID;
        if (row.stepped) info->flags |= CLAP_PARAM_IS_STEPPED;
        std::snprintf(info->name, sizeof info->name, "%s", row.name);
        info->min_value = row.minimum;
        info->max_value = row.maximum;
        info->default_value = row.standard;
        return true;
    },
    [](const clap_plugin_t* plugin, clap_id id, double* value) {
        if (id >= k_parameters) return false;
        *value = of(plugin).values[id];
        return true;
    },
    [](const clap_plugin_t*, clap_id id, double value, char* text, std::uint32_t size) {
        if (id >= k_parameters) return false;
        std::snprintf(text, size, "%.3f", value);
        return true;
    },
    [](const clap_plugin_t*, clap_id id, const char* text, double* value) {
        char* end = nullptr;
        const double read = std::strtod(text, &end);
        if (id >= k_parameters || end == text || *end != '\0' || !std::isfinite(read)) return false;
        *value = std::clamp(planted("parameters.text") ? 0.5 * read : read, k_rows[id].minimum, k_rows[id].maximum);
        return true;
    },
    [](const clap_plugin_t* plugin, const clap_input_events_t* in, const clap_output_events_t*) {
        if (planted("clap.flush")) return;
        for (std::uint32_t i = 0; i < in->size(in); ++i)
            of(plugin).take(in->get(in, i));
    }};

const clap_plugin_state_t k_state = {
    [](const clap_plugin_t* plugin, const clap_ostream_t* stream) { return of(plugin).save(stream); },
    [](const clap_plugin_t* plugin, const clap_istream_t* stream) { return of(plugin).load(stream); }};

const clap_plugin_audio_ports_t k_audio_ports = {
    [](const clap_plugin_t*, bool) { return std::uint32_t{1}; },
    [](const clap_plugin_t*, std::uint32_t index, bool input, clap_audio_port_info_t* info) {
        if (index > 0 && !planted("info.structure")) return false;
        *info = {};
        info->id = 0;
        std::snprintf(info->name, sizeof info->name, input ? "In" : "Out");
        info->flags = CLAP_AUDIO_PORT_IS_MAIN;
        info->channel_count = 2;
        info->port_type = CLAP_PORT_STEREO;
        info->in_place_pair = CLAP_INVALID_ID;
        return true;
    }};

const clap_plugin_note_ports_t k_note_ports = {
    [](const clap_plugin_t*, bool input) { return std::uint32_t{input ? 1u : 0u}; },
    [](const clap_plugin_t*, std::uint32_t index, bool input, clap_note_port_info_t* info) {
        if (index > 0 || !input) return false;
        *info = {};
        info->supported_dialects = CLAP_NOTE_DIALECT_CLAP | CLAP_NOTE_DIALECT_MIDI;
        info->preferred_dialect = CLAP_NOTE_DIALECT_CLAP;
        std::snprintf(info->name, sizeof info->name, "Notes");
        return true;
    }};

const clap_plugin_latency_t k_latency = {[](const clap_plugin_t* plugin) {
    if (planted("info.latency_and_tail") && of(plugin).blocks > 0) return std::uint32_t{64};
    if (planted("sound.latency") && of(plugin).max_frames == 32) return std::uint32_t{32};
    return std::uint32_t{0};
}};

const tutti::clap::PluginTail k_tail = {[](const clap_plugin_t*) { return std::uint32_t{2400}; }};

const tutti::clap::PluginRender k_render = {[](const clap_plugin_t*) { return false; },
                                            [](const clap_plugin_t* plugin, std::int32_t mode) {
                                                of(plugin).offline = mode == tutti::clap::k_render_offline;
                                                return true;
                                            }};

const tutti::clap::PluginVoiceInfo k_voice_info = {[](const clap_plugin_t*, tutti::clap::VoiceInfo* info) {
    *info = {planted("clap.voice_info") ? 65u : 64u, 64, tutti::clap::k_overlapping_notes};
    return true;
}};

const clap_plugin_descriptor_t& descriptor() {
    static const char* features[] = {CLAP_PLUGIN_FEATURE_INSTRUMENT, CLAP_PLUGIN_FEATURE_SYNTHESIZER,
                                     CLAP_PLUGIN_FEATURE_STEREO, nullptr};
    static const clap_plugin_descriptor_t value = {
        CLAP_VERSION, "tutti.planted",   "Planted", planted("info.names") ? "" : "Tutti", "", "", "",
        "1.0.0",      "Fails one check", features};
    return value;
}

const clap_plugin_t* create(const clap_plugin_factory_t*, const clap_host_t* host, const char* id) {
    const auto& desc = descriptor();
    if (id == nullptr ||
        (planted("clap.factory") ? std::strncmp(id, desc.id, std::strlen(desc.id)) : std::strcmp(id, desc.id)) != 0)
        return nullptr;
    auto* const synth = new Synth;
    synth->host = host;
    clap_plugin_t& p = synth->plugin;
    p.desc = &desc;
    p.plugin_data = synth;
    p.init = [](const clap_plugin_t*) { return true; };
    p.destroy = [](const clap_plugin_t* plugin) { delete &of(plugin); };
    p.activate = [](const clap_plugin_t* plugin, double rate, std::uint32_t, std::uint32_t max_frames) {
        if (!(rate >= 8000.0 && rate <= 400000.0)) return false;
        Synth& s = of(plugin);
        s.silence();
        s.bend = 0.0;
        s.odd = s.odd || (planted("sound.deterministic") && s.ran_long);
        s.silent = planted("life.prepare_again") && s.rate == 96000.0 && rate == 48000.0;
        s.rate = rate;
        s.hertz_factor = planted("audio.rates") && rate > 100000.0 ? 1.03 : 1.0;
        s.max_frames = max_frames;
        s.frame = 0;
        s.blocks = 0;
        s.any_note = s.poisoned = false;
        ++s.activations;
        s.active = true;
        return true;
    };
    p.deactivate = [](const clap_plugin_t* plugin) { of(plugin).active = false; };
    p.start_processing = [](const clap_plugin_t*) { return true; };
    p.stop_processing = [](const clap_plugin_t*) {};
    p.reset = [](const clap_plugin_t* plugin) {
        if (planted("life.orders") && !of(plugin).active) of(plugin).odd = true;
        if (!planted("sound.reset")) of(plugin).silence();
    };
    p.process = [](const clap_plugin_t* plugin, const clap_process_t* process) { return of(plugin).process(process); };
    p.get_extension = [](const clap_plugin_t*, const char* name) -> const void* {
        const std::pair<const char*, const void*> all[] = {
            {CLAP_EXT_PARAMS, &k_params},           {CLAP_EXT_STATE, &k_state},
            {CLAP_EXT_AUDIO_PORTS, &k_audio_ports}, {CLAP_EXT_NOTE_PORTS, &k_note_ports},
            {CLAP_EXT_LATENCY, &k_latency},         {tutti::clap::k_tail, &k_tail},
            {tutti::clap::k_render, &k_render},     {tutti::clap::k_voice_info, &k_voice_info}};
        for (const auto& [known, value] : all)
            if (std::strcmp(known, name) == 0) return value;
        return nullptr;
    };
    p.on_main_thread = [](const clap_plugin_t*) {};
    return &p;
}

const clap_plugin_factory_t k_factory = {
    [](const clap_plugin_factory_t*) { return std::uint32_t{1}; },
    [](const clap_plugin_factory_t*, std::uint32_t index) { return index == 0 ? &descriptor() : nullptr; }, create};

} // namespace

const clap_plugin_entry_t clap_entry = {
    CLAP_VERSION,
    [](const char*) {
        if (planted("scan.time")) {
            const auto begin = std::clock();
            while (std::clock() - begin < CLOCKS_PER_SEC / 5) {
            }
        }
        if (planted("scan.touches_nothing")) close(socket(AF_INET, SOCK_STREAM, 0));
        return true;
    },
    [] {},
    [](const char* id) -> const void* { return std::strcmp(id, CLAP_PLUGIN_FACTORY_ID) == 0 ? &k_factory : nullptr; }};
