// SPDX-License-Identifier: MIT
// A host of CLAP plugins: the smallest that keeps every rule of the standard, and watches whether the plugin does.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <clap/entry.h>
#include <clap/ext/audio-ports.h>
#include <clap/ext/gui.h>
#include <clap/ext/latency.h>
#include <clap/ext/note-ports.h>
#include <clap/ext/params.h>
#include <clap/ext/state.h>
#include <clap/ext/thread-check.h>
#include <clap/plugin-factory.h>

#include "plugin/clap/extensions.h"
#include "tests/host/plugcheck/plugin.h"

namespace tutti::host {

// Any core event, in the order of a union's members.
union ClapEvent {
    clap_event_header_t header;
    clap_event_note_t note;
    clap_event_note_expression_t expression;
    clap_event_param_value_t value;
    clap_event_param_mod_t modulation;
    clap_event_midi_t midi;
    clap_event_transport_t transport;
};

class ClapPlugin : public Plugin {
public:
    explicit ClapPlugin(const std::string& path);
    ~ClapPlugin() override;

    std::string format() const override { return "CLAP"; }
    std::string name() const override { return m_plugin->desc->name == nullptr ? "" : m_plugin->desc->name; }
    std::string vendor() const override { return m_plugin->desc->vendor == nullptr ? "" : m_plugin->desc->vendor; }
    std::string version() const override { return m_plugin->desc->version == nullptr ? "" : m_plugin->desc->version; }
    int ins() const override { return m_ins; }
    int outs() const override { return m_outs; }
    std::string structure() override;
    bool prepare(double sample_rate, int max_frames, bool offline) override;
    void release() override;
    void reset() override { m_plugin->reset(m_plugin); }
    void process(const Block& block) noexcept override;
    int latency() override;
    std::int64_t tail() override;
    const std::vector<Parameter>& parameters() const override { return m_list; }
    double value(int parameter) override;
    void set(int parameter, double value) override;
    std::string text(int parameter, double value) override;
    std::optional<double> parse(int parameter, const std::string& text) override;
    Bytes save() override;
    bool load(std::span<const std::uint8_t> state, int piece) override;
    void idle(int milliseconds) override;
    bool sample_accurate() const override { return true; }
    bool modulates_notes() const override { return !m_inputs.empty(); }
    const std::vector<Parameter>& note_inputs() const override { return m_inputs; }
    bool takes_midi() const override { return m_midi; }
    std::string misdeeds() override { return m_misdeeds; }

    // For checks of CLAP alone.
    const clap_plugin_t* raw() const { return m_plugin; }
    const clap_plugin_factory_t* factory() const { return m_factory; }
    const clap_host_t* host() const { return &m_host; }
    const clap_plugin_params_t* params() const { return m_params; }
    clap_id id(int parameter) const { return m_ids[static_cast<std::size_t>(parameter)]; }
    // Sent before those of every block; and what the plugin sent back in the last one.
    std::vector<ClapEvent> extra;
    std::vector<ClapEvent> sent;
    clap_process_status status = CLAP_PROCESS_CONTINUE;
    std::uint64_t constant_mask = 0;
    bool moved_pointers = false; // it wrote to the host's structures
    template <class T>
    const T* extension(const char* name) const {
        return static_cast<const T*>(m_plugin->get_extension(m_plugin, name));
    }
    void push(ClapEvent event) noexcept;
    ClapEvent translated(const Event& event) const noexcept;
    void flush();

private:
    struct Pending {
        int parameter;
        double value;
    };
    static const void* CLAP_ABI get_extension(const clap_host_t* host, const char* id);
    static ClapPlugin* of(const clap_host_t* host) { return static_cast<ClapPlugin*>(host->host_data); }
    void misdeed(const char* what);

    void* m_library = nullptr;
    const clap_plugin_entry_t* m_entry = nullptr;
    const clap_plugin_factory_t* m_factory = nullptr;
    const clap_plugin_t* m_plugin = nullptr;
    clap_host_t m_host{};
    const clap_plugin_params_t* m_params = nullptr;
    const clap_plugin_state_t* m_state = nullptr;
    const clap_plugin_latency_t* m_latency = nullptr;
    const clap::PluginTail* m_tail = nullptr;
    const clap::PluginRender* m_render = nullptr;
    std::vector<Parameter> m_list;
    std::vector<clap_id> m_ids;
    std::vector<Parameter> m_inputs; // modulatable for one note
    std::vector<clap_id> m_input_ids;
    int m_ins = 0, m_outs = 0;
    bool m_midi = false;
    bool m_active = false;
    bool m_processing = false;
    std::int64_t m_frame = 0;
    std::thread::id m_main = std::this_thread::get_id();
    std::atomic<std::thread::id> m_audio{};
    std::atomic<bool> m_callback{false};
    std::string m_misdeeds;

    // Sets from the main thread that the audio thread takes over; a ring that neither side waits for.
    static constexpr std::size_t k_ring = 8192;
    std::vector<Pending> m_ring = std::vector<Pending>(k_ring);
    std::atomic<std::size_t> m_written{0}, m_read{0};
    std::atomic<bool> m_busy{false}; // process or flush is at work
    std::vector<ClapEvent> m_events;
    std::size_t m_count = 0;
};

} // namespace tutti::host
