// SPDX-License-Identifier: MIT
#include "tests/host/plugcheck/clap_host.h" // Over 400 lines: every call of the standard has its place, once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <set>
#include <stdexcept>

#include <dlfcn.h>

namespace tutti::host {
namespace {

std::string sized(const char* text, std::size_t size) {
    return std::string(text, strnlen(text, size));
}

template <class Number>
clap_event_header_t header(Number frame, std::uint16_t type, std::size_t size) {
    return {static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(frame), CLAP_CORE_EVENT_SPACE_ID, type, 0};
}

struct Reading {
    std::span<const std::uint8_t> bytes;
    std::size_t at = 0;
    std::size_t piece = 0;
};

} // namespace

std::unique_ptr<Plugin> load_clap(const std::string& path) {
    return std::make_unique<ClapPlugin>(path);
}

ClapPlugin::ClapPlugin(const std::string& path) {
    m_library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (m_library == nullptr) throw std::runtime_error("cannot be loaded: " + std::string(dlerror()));
    m_entry = static_cast<const clap_plugin_entry_t*>(dlsym(m_library, "clap_entry"));
    if (m_entry == nullptr) throw std::runtime_error("has no clap_entry");
    if (!clap_version_is_compatible(m_entry->clap_version) || !m_entry->init(path.c_str()))
        throw std::runtime_error("does not start");
    m_factory = static_cast<const clap_plugin_factory_t*>(m_entry->get_factory(CLAP_PLUGIN_FACTORY_ID));
    if (m_factory == nullptr || m_factory->get_plugin_count(m_factory) == 0)
        throw std::runtime_error("has no plugin in it");
    m_host.clap_version = CLAP_VERSION;
    m_host.host_data = this;
    m_host.name = "plugcheck";
    m_host.vendor = "Tutti";
    m_host.url = "";
    m_host.version = "1";
    m_host.get_extension = get_extension;
    m_host.request_restart = [](const clap_host_t*) {};
    m_host.request_process = [](const clap_host_t*) {};
    m_host.request_callback = [](const clap_host_t* host) { of(host)->m_callback = true; };
    m_plugin = m_factory->create_plugin(m_factory, &m_host, m_factory->get_plugin_descriptor(m_factory, 0)->id);
    if (m_plugin == nullptr || !m_plugin->init(m_plugin)) throw std::runtime_error("gives no instance");
    m_params = extension<clap_plugin_params_t>(CLAP_EXT_PARAMS);
    m_state = extension<clap_plugin_state_t>(CLAP_EXT_STATE);
    m_latency = extension<clap_plugin_latency_t>(CLAP_EXT_LATENCY);
    m_tail = extension<clap::PluginTail>(clap::k_tail);
    m_render = extension<clap::PluginRender>(clap::k_render);
    if (const auto* ports = extension<clap_plugin_audio_ports_t>(CLAP_EXT_AUDIO_PORTS))
        for (const bool input : {true, false})
            for (std::uint32_t i = 0; i < ports->count(m_plugin, input); ++i) {
                clap_audio_port_info_t info{};
                if (ports->get(m_plugin, i, input, &info))
                    (input ? m_ins : m_outs) += static_cast<int>(info.channel_count);
            }
    if (const auto* ports = extension<clap_plugin_note_ports_t>(CLAP_EXT_NOTE_PORTS)) {
        clap_note_port_info_t info{};
        if (ports->get(m_plugin, 0, true, &info)) m_midi = (info.supported_dialects & CLAP_NOTE_DIALECT_MIDI) != 0;
    }
    for (std::uint32_t i = 0; m_params != nullptr && i < m_params->count(m_plugin); ++i) {
        clap_param_info_t info{};
        if (!m_params->get_info(m_plugin, i, &info)) continue;
        Parameter p;
        p.id = std::to_string(info.id);
        p.name = sized(info.name, sizeof info.name);
        p.group = sized(info.module, sizeof info.module);
        p.minimum = info.min_value;
        p.maximum = info.max_value;
        p.standard = info.default_value;
        p.steps = (info.flags & CLAP_PARAM_IS_STEPPED) != 0
                      ? static_cast<int>(std::lround(info.max_value - info.min_value))
                      : 0;
        p.automatable = (info.flags & CLAP_PARAM_IS_AUTOMATABLE) != 0;
        if ((info.flags & CLAP_PARAM_IS_MODULATABLE_PER_NOTE_ID) != 0) {
            m_inputs.push_back(p);
            m_input_ids.push_back(info.id);
        }
        if ((info.flags & CLAP_PARAM_IS_READONLY) != 0) continue;
        m_list.push_back(p);
        m_ids.push_back(info.id);
    }
    m_events.resize(65536);
    sent.reserve(65536);
}

ClapPlugin::~ClapPlugin() {
    release();
    m_plugin->destroy(m_plugin);
    m_entry->deinit();
    dlclose(m_library);
}

const void* ClapPlugin::get_extension(const clap_host_t*, const char* id) {
    static const clap_host_thread_check_t threads = {
        [](const clap_host_t* host) { return std::this_thread::get_id() == of(host)->m_main; },
        [](const clap_host_t* host) { return std::this_thread::get_id() == of(host)->m_audio.load(); }};
    static const clap_host_params_t params = {[](const clap_host_t* host, clap_param_rescan_flags) {
                                                  if (std::this_thread::get_id() == of(host)->m_audio.load())
                                                      of(host)->misdeed("params.rescan on the audio thread");
                                              },
                                              [](const clap_host_t*, clap_id, clap_param_clear_flags) {},
                                              [](const clap_host_t*) {}};
    static const clap_host_state_t state = {[](const clap_host_t* host) {
        if (std::this_thread::get_id() == of(host)->m_audio.load())
            of(host)->misdeed("state.mark_dirty on the audio thread");
    }};
    static const clap_host_latency_t latency = {[](const clap_host_t* host) {
        if (of(host)->m_active) of(host)->misdeed("latency.changed while it is active");
    }};
    if (std::strcmp(id, CLAP_EXT_THREAD_CHECK) == 0) return &threads;
    if (std::strcmp(id, CLAP_EXT_PARAMS) == 0) return &params;
    if (std::strcmp(id, CLAP_EXT_STATE) == 0) return &state;
    if (std::strcmp(id, CLAP_EXT_LATENCY) == 0) return &latency;
    return nullptr;
}

// May come from the audio thread: no string grows there in a plugin that behaves.
void ClapPlugin::misdeed(const char* what) {
    if (m_misdeeds.empty()) m_misdeeds = what;
}

bool ClapPlugin::prepare(double sample_rate, int max_frames, bool offline) {
    release();
    if (m_render != nullptr) (void)m_render->set(m_plugin, offline ? clap::k_render_offline : clap::k_render_realtime);
    m_active = m_plugin->activate(m_plugin, sample_rate, 1, static_cast<std::uint32_t>(std::max(max_frames, 1)));
    m_frame = 0;
    return m_active;
}

void ClapPlugin::release() {
    if (m_processing) m_plugin->stop_processing(m_plugin);
    if (m_active) m_plugin->deactivate(m_plugin);
    m_processing = m_active = false;
}

ClapEvent ClapPlugin::translated(const Event& event) const noexcept {
    ClapEvent to{};
    switch (event.type) {
    case EventType::note_on:
    case EventType::note_off:
        to.note.header = header(
            event.frame, event.type == EventType::note_on ? CLAP_EVENT_NOTE_ON : CLAP_EVENT_NOTE_OFF, sizeof to.note);
        to.note.note_id = event.note_id;
        to.note.channel = static_cast<std::int16_t>(event.channel);
        to.note.key = static_cast<std::int16_t>(event.key);
        to.note.velocity = event.value;
        break;
    case EventType::midi:
        to.midi.header = header(event.frame, CLAP_EVENT_MIDI, sizeof to.midi);
        std::memcpy(to.midi.data, event.midi, 3);
        break;
    case EventType::parameter:
        to.value.header = header(event.frame, CLAP_EVENT_PARAM_VALUE, sizeof to.value);
        to.value.param_id = id(event.parameter);
        to.value.note_id = -1;
        to.value.port_index = to.value.channel = to.value.key = -1;
        to.value.value = event.value;
        break;
    case EventType::modulation:
        to.modulation.header = header(event.frame, CLAP_EVENT_PARAM_MOD, sizeof to.modulation);
        to.modulation.param_id = m_input_ids[static_cast<std::size_t>(event.parameter)];
        to.modulation.note_id = event.note_id;
        to.modulation.channel = static_cast<std::int16_t>(event.channel);
        to.modulation.key = static_cast<std::int16_t>(event.key);
        to.modulation.amount = event.value;
        break;
    case EventType::tuning:
        to.expression.header = header(event.frame, CLAP_EVENT_NOTE_EXPRESSION, sizeof to.expression);
        to.expression.expression_id = CLAP_NOTE_EXPRESSION_TUNING;
        to.expression.note_id = event.note_id;
        to.expression.channel = static_cast<std::int16_t>(event.channel);
        to.expression.key = static_cast<std::int16_t>(event.key);
        to.expression.value = event.value;
        break;
    }
    return to;
}

void ClapPlugin::push(ClapEvent event) noexcept {
    if (m_count < m_events.size()) m_events[m_count++] = event;
}

namespace {
struct List {
    const ClapEvent* first;
    std::uint32_t count;
};
clap_input_events_t input(List& list) {
    return {&list, [](const clap_input_events_t* l) { return static_cast<const List*>(l->ctx)->count; },
            [](const clap_input_events_t* l, std::uint32_t i) {
                return &static_cast<const List*>(l->ctx)->first[i].header;
            }};
}
clap_output_events_t output(std::vector<ClapEvent>& sent) {
    return {&sent, [](const clap_output_events_t* l, const clap_event_header_t* event) {
                auto& list = *static_cast<std::vector<ClapEvent>*>(l->ctx);
                if (list.size() == list.capacity() || event->size > sizeof(ClapEvent)) return false;
                list.emplace_back();
                std::memcpy(&list.back(), event, event->size);
                return true;
            }};
}
} // namespace

void ClapPlugin::process(const Block& block) noexcept {
    while (m_busy.exchange(true, std::memory_order_acquire)) {
    }
    m_audio = std::this_thread::get_id();
    if (m_active && !m_processing) m_processing = m_plugin->start_processing(m_plugin);
    m_count = 0;
    for (const ClapEvent& event : extra)
        push(event);
    for (std::size_t read = m_read.load(); read != m_written.load(std::memory_order_acquire); m_read = ++read) {
        const Pending& pending = m_ring[read % k_ring];
        Event event;
        event.type = EventType::parameter;
        event.parameter = pending.parameter;
        event.value = pending.value;
        push(translated(event));
    }
    for (const Event& event : block.events)
        push(translated(event));
    List list{m_events.data(), static_cast<std::uint32_t>(m_count)};
    const clap_input_events_t in_events = input(list);
    sent.clear();
    const clap_output_events_t out_events = output(sent);
    clap_event_transport_t transport{};
    if (block.transport != nullptr) {
        const Transport& now = *block.transport;
        const auto beats = [](double quarters) {
            return std::isfinite(quarters) ? static_cast<clap_beattime>(std::clamp(quarters, -1e9, 1e9) *
                                                                        static_cast<double>(CLAP_BEATTIME_FACTOR))
                                           : 0;
        };
        transport.header = header(0, CLAP_EVENT_TRANSPORT, sizeof transport);
        transport.flags = CLAP_TRANSPORT_HAS_TEMPO | CLAP_TRANSPORT_HAS_BEATS_TIMELINE |
                          (now.playing ? std::uint32_t{CLAP_TRANSPORT_IS_PLAYING} : 0u) |
                          (now.looping ? std::uint32_t{CLAP_TRANSPORT_IS_LOOP_ACTIVE} : 0u);
        transport.tempo = now.tempo;
        transport.song_pos_beats = beats(now.quarters);
        transport.loop_start_beats = beats(now.loop_start);
        transport.loop_end_beats = beats(now.loop_end);
        transport.tsig_num = static_cast<std::uint16_t>(now.numerator);
        transport.tsig_denom = static_cast<std::uint16_t>(now.denominator);
    }
    float* outs[64] = {};
    float* ins[64] = {};
    std::copy(block.out, block.out + std::min(block.outs, 64), outs);
    std::copy(block.in, block.in + std::min(block.ins, 64), ins);
    clap_audio_buffer_t out{outs, nullptr, static_cast<std::uint32_t>(block.outs), 0, 0};
    clap_audio_buffer_t in{ins, nullptr, static_cast<std::uint32_t>(block.ins), 0, 0};
    clap_process_t process{};
    process.steady_time = m_frame;
    process.frames_count = static_cast<std::uint32_t>(block.frames);
    process.transport = block.transport != nullptr ? &transport : nullptr;
    process.audio_inputs = block.ins > 0 ? &in : nullptr;
    process.audio_outputs = &out;
    process.audio_inputs_count = block.ins > 0 ? 1 : 0;
    process.audio_outputs_count = 1;
    process.in_events = &in_events;
    process.out_events = &out_events;
    status = m_plugin->process(m_plugin, &process);
    moved_pointers = moved_pointers || out.data32 != outs ||
                     out.channel_count != static_cast<std::uint32_t>(block.outs) ||
                     !std::equal(block.out, block.out + std::min(block.outs, 64), outs);
    constant_mask = out.constant_mask;
    if (status == CLAP_PROCESS_ERROR)
        for (int c = 0; c < block.outs; ++c)
            std::fill(block.out[c], block.out[c] + block.frames, 0.0f);
    m_frame += block.frames;
    m_audio = std::thread::id();
    m_busy.store(false, std::memory_order_release);
}

int ClapPlugin::latency() {
    return m_latency == nullptr ? 0 : static_cast<int>(m_latency->get(m_plugin));
}

std::int64_t ClapPlugin::tail() {
    if (m_tail == nullptr) return 0;
    const std::uint32_t frames = m_tail->get(m_plugin);
    return frames >= 0x7fffffffu ? -1 : static_cast<std::int64_t>(frames);
}

double ClapPlugin::value(int parameter) {
    double value = NAN;
    (void)m_params->get_value(m_plugin, id(parameter), &value);
    return value;
}

void ClapPlugin::flush() {
    if (m_busy.exchange(true, std::memory_order_acquire)) return; // the block that runs takes it, or the next
    if (m_active) m_audio = std::this_thread::get_id();
    std::vector<ClapEvent> events;
    for (std::size_t read = m_read.load(); read != m_written.load(std::memory_order_acquire); m_read = ++read) {
        Event event;
        event.type = EventType::parameter;
        event.parameter = m_ring[read % k_ring].parameter;
        event.value = m_ring[read % k_ring].value;
        events.push_back(translated(event));
    }
    List list{events.data(), static_cast<std::uint32_t>(events.size())};
    const clap_input_events_t in = input(list);
    std::vector<ClapEvent> back;
    back.reserve(1024);
    const clap_output_events_t out = output(back);
    m_params->flush(m_plugin, &in, &out);
    m_audio = std::thread::id();
    m_busy.store(false, std::memory_order_release);
}

void ClapPlugin::set(int parameter, double value) {
    const std::size_t written = m_written.load();
    while (written - m_read.load() >= k_ring)
        std::this_thread::yield();
    m_ring[written % k_ring] = {parameter, value};
    m_written.store(written + 1, std::memory_order_release);
    flush();
}

std::string ClapPlugin::text(int parameter, double value) {
    char text[256] = {};
    return m_params->value_to_text(m_plugin, id(parameter), value, text, sizeof text) ? sized(text, sizeof text)
                                                                                      : std::string();
}

std::optional<double> ClapPlugin::parse(int parameter, const std::string& text) {
    double value = 0.0;
    if (!m_params->text_to_value(m_plugin, id(parameter), text.c_str(), &value)) return std::nullopt;
    return value;
}

Bytes ClapPlugin::save() {
    Bytes bytes;
    const clap_ostream_t stream{&bytes, [](const clap_ostream_t* s, const void* data, std::uint64_t size) {
                                    // As little at once as a host may take.
                                    const auto take = std::min<std::uint64_t>(size, 1000);
                                    const auto* from = static_cast<const std::uint8_t*>(data);
                                    static_cast<Bytes*>(s->ctx)->insert(static_cast<Bytes*>(s->ctx)->end(), from,
                                                                        from + take);
                                    return static_cast<std::int64_t>(take);
                                }};
    if (m_state == nullptr || !m_state->save(m_plugin, &stream)) return {};
    return bytes;
}

bool ClapPlugin::load(std::span<const std::uint8_t> state, int piece) {
    if (m_state == nullptr) return false;
    Reading reading{state, 0, static_cast<std::size_t>(piece)};
    const clap_istream_t stream{&reading, [](const clap_istream_t* s, void* to, std::uint64_t size) {
                                    auto& r = *static_cast<Reading*>(s->ctx);
                                    std::size_t take = std::min<std::size_t>(size, r.bytes.size() - r.at);
                                    if (r.piece > 0) take = std::min(take, r.piece);
                                    if (take > 0) std::memcpy(to, r.bytes.data() + r.at, take);
                                    r.at += take;
                                    return static_cast<std::int64_t>(take);
                                }};
    return m_state->load(m_plugin, &stream);
}

void ClapPlugin::idle(int milliseconds) {
    for (int i = 0; i <= milliseconds; i += 5) {
        if (m_callback.exchange(false)) m_plugin->on_main_thread(m_plugin);
        if (milliseconds > 0) std::this_thread::sleep_for(std::chrono::milliseconds(std::min(5, milliseconds)));
    }
}

std::string ClapPlugin::structure() {
    const auto* desc = m_plugin->desc;
    if (desc->id == nullptr || *desc->id == '\0') return "its descriptor has no id";
    std::set<std::string> features;
    for (const char* const* feature = desc->features; feature != nullptr && *feature != nullptr; ++feature)
        features.insert(*feature);
    if (!features.contains(CLAP_PLUGIN_FEATURE_INSTRUMENT)) return "no feature says that it is an instrument";
    if (const auto* ports = extension<clap_plugin_audio_ports_t>(CLAP_EXT_AUDIO_PORTS)) {
        std::set<clap_id> ids;
        for (const bool is_input : {true, false}) {
            const std::uint32_t count = ports->count(m_plugin, is_input);
            for (std::uint32_t i = 0; i < count; ++i) {
                clap_audio_port_info_t info{};
                if (!ports->get(m_plugin, i, is_input, &info)) return "an audio port that it counts is not there";
                if (!ids.insert(info.id * 2 + is_input).second) return "two audio ports have one id";
                if (info.port_type != nullptr && std::strcmp(info.port_type, CLAP_PORT_STEREO) == 0 &&
                    info.channel_count != 2)
                    return "a stereo port has " + std::to_string(info.channel_count) + " channels";
                if ((info.flags & CLAP_AUDIO_PORT_IS_MAIN) != 0 && i != 0) return "a main port is not the first";
            }
            clap_audio_port_info_t info{};
            if (ports->get(m_plugin, count, is_input, &info)) return "an audio port beyond its count is there";
        }
    } else
        return "it has no audio ports";
    if (const auto* ports = extension<clap_plugin_note_ports_t>(CLAP_EXT_NOTE_PORTS)) {
        clap_note_port_info_t info{};
        if (ports->count(m_plugin, true) == 0 || !ports->get(m_plugin, 0, true, &info)) return "it has no note input";
        if ((info.supported_dialects & info.preferred_dialect) == 0)
            return "it prefers a note dialect that it does not support";
        if (ports->get(m_plugin, ports->count(m_plugin, true), true, &info))
            return "a note port beyond its count is there";
    } else
        return "it has no note ports";
    if (m_plugin->get_extension(m_plugin, "plugcheck.none") != nullptr) return "it has an extension that there is not";
    if (m_params != nullptr) {
        clap_param_info_t info{};
        double value = 0.0;
        if (m_params->get_info(m_plugin, m_params->count(m_plugin), &info))
            return "a parameter beyond its count is there";
        if (m_params->get_value(m_plugin, 0xfffffff0u, &value)) return "a parameter that is not there has a value";
        if (m_params->count(m_plugin) > 0 && std::find(m_ids.begin(), m_ids.end(), CLAP_INVALID_ID) != m_ids.end())
            return "a parameter has the invalid id";
    }
    return {};
}

} // namespace tutti::host
