// SPDX-License-Identifier: MIT
// One CLAP plugin: an instance of plugin/core, and what the standard wants round it.
//
// Threads as CLAP names them: [main-thread] is the instance's [control], [audio-thread] its [audio].
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <clap/ext/params.h>
#include <clap/plugin.h>
#include <clap/stream.h>

#include "plugin/clap/note_table.h"
#include "plugin/core/instance.h"

namespace tutti::clap {

// Parameters of the list that all formats share come first; then what modulation may move of a single note, which has a
// resting value and cannot be set.
int parameter_count() noexcept;
bool parameter_info(int place, clap_param_info_t& info);
// The place of an id among them, -1: none. [any]
int parameter_place(clap_id id) noexcept;

class Wrapper final : public plugin::InstanceListener {
public:
    explicit Wrapper(const clap_host_t* host);
    const clap_plugin_t* plugin() const noexcept { return &m_plugin; }
    static Wrapper& of(const clap_plugin_t* plugin) noexcept { return *static_cast<Wrapper*>(plugin->plugin_data); }

    // [main-thread]
    bool activate(double sample_rate, std::uint32_t max_frames);
    void deactivate();
    void on_main_thread();
    bool save(const clap_ostream_t* stream) const;
    bool load(const clap_istream_t* stream);
    bool load_preset(std::uint32_t kind, const char* location, const char* key);
    void set_offline(bool on) noexcept { m_instance.set_offline(on); }
    plugin::Instance& instance() noexcept { return m_instance; }
    // A host's value of a parameter, which counts choices and walks everything else from 0 to 1 along its knob.
    double value(int place) const noexcept;

    // [audio-thread]
    clap_process_status process(const clap_process_t* process) noexcept;
    void reset() noexcept;
    // Both where active and where not.
    void flush(const clap_input_events_t* in, const clap_output_events_t* out) noexcept;

    // [any]
    std::uint32_t latency() const noexcept { return static_cast<std::uint32_t>(m_instance.latency_frames()); }
    std::uint32_t tail() const noexcept { return m_tail.load(std::memory_order_relaxed); }

private:
    // InstanceListener, [main-thread]
    void value_changed(int parameter) override;
    void everything_changed() override;
    void restart_wanted() override;

    void find_tail(); // [main-thread]

    // [audio-thread] (events.cpp)
    void take(const clap_event_header_t* event, const clap_output_events_t* out, int last_frame) noexcept;
    void set_input(int offset, const Note& note, int input) noexcept;
    void push(const plugin::BlockEvent& event) noexcept;
    void tell_values(const clap_output_events_t* out) noexcept;
    static void tell_end(const clap_output_events_t* out, const Note& note, std::uint32_t frame) noexcept;
    plugin::HostTransport transport(const clap_event_transport_t& said) const noexcept;
    template <class T>
    const T* host_extension(const char* id) const noexcept {
        return static_cast<const T*>(m_host->get_extension(m_host, id));
    }

    clap_plugin_t m_plugin{};
    const clap_host_t* m_host;
    plugin::Instance m_instance;
    std::shared_ptr<Stream> m_stream; // for its counters, from activate to deactivate
    std::atomic<std::uint32_t> m_tail{0};
    std::atomic<bool> m_playing{false}; // process() has been called since reset() or activate()

    // Values that the host has to hear of: a bit a parameter.
    std::array<std::atomic<std::uint64_t>, 16> m_to_tell{};

    // Of the audio thread alone.
    std::vector<plugin::BlockEvent> m_events; // never grows in process()
    NoteTable m_notes;
    std::uint32_t m_quiet = 0; // frames since the last voice
    bool m_callback_wanted = false;
};

} // namespace tutti::clap
