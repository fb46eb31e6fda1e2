// SPDX-License-Identifier: MIT
// A plugin as the checks see it, whatever its format: one adapter a host interface (clap_host.cpp, juce_host.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tutti::host {

using Bytes = std::vector<std::uint8_t>;

enum class EventType : std::uint8_t { note_on, note_off, midi, parameter, modulation, tuning };

// `frame` counts from the block's first; checks also send what lies outside.
struct Event {
    int frame = 0;
    EventType type = EventType::note_on;
    int key = 60;
    double value = 0.8; // velocity; the parameter's value; semitones
    int parameter = 0;  // its place in Plugin::parameters()
    int note_id = -1;   // -1: the format has none, or every one
    int channel = 0;
    std::uint8_t midi[3] = {}; // EventType::midi
};

struct Transport {
    bool playing = false;
    bool looping = false;
    double tempo = 120.0;
    double quarters = 0.0; // the block's first frame
    double loop_start = 0.0;
    double loop_end = 0.0;
    std::int64_t frame = 0;
    int numerator = 4;
    int denominator = 4;
};

struct Block {
    float* const* in = nullptr;
    int ins = 0;
    float* const* out = nullptr;
    int outs = 2;
    int frames = 0;
    std::span<const Event> events;
    const Transport* transport = nullptr; // null: the host says nothing
};

struct Parameter {
    std::string id;
    std::string name;
    std::string group;
    std::string unit;
    double minimum = 0.0;
    double maximum = 1.0;
    double standard = 0.0;
    int steps = 0; // 0: continuous
    bool automatable = true;
};

class Editor {
public:
    virtual ~Editor() = default;
    virtual int width() const = 0;
    virtual int height() const = 0;
    virtual void resize(int width, int height) = 0;
};

// Called as formats have it: process() on the audio thread, everything else on the main thread unless a check is about that.
class Plugin {
public:
    virtual ~Plugin() = default;

    virtual std::string format() const = 0;
    virtual std::string name() const = 0;
    virtual std::string vendor() const = 0;
    virtual std::string version() const = 0;
    virtual int ins() const = 0;  // channels, all buses
    virtual int outs() const = 0; // the same
    // Empty, or what about it breaks the format's own rules (bus and port lists, descriptors).
    virtual std::string structure() { return {}; }

    // False: refused, and nothing is prepared.
    virtual bool prepare(double sample_rate, int max_frames, bool offline = false) = 0;
    virtual void release() = 0;
    virtual void reset() = 0;
    virtual void process(const Block& block) noexcept = 0;
    virtual int latency() = 0;
    virtual std::int64_t tail() = 0; // frames after the last note has ended; -1: for ever

    virtual const std::vector<Parameter>& parameters() const = 0;
    virtual double value(int parameter) = 0;
    virtual void set(int parameter, double value) = 0;
    virtual std::string text(int parameter, double value) = 0;
    virtual std::optional<double> parse(int parameter, const std::string& text) = 0;

    virtual Bytes save() = 0;
    // `piece`: bytes that the host gives at once, 0: all.
    virtual bool load(std::span<const std::uint8_t> state, int piece = 0) = 0;

    // False where the host interface keeps it to itself whether a state was refused.
    virtual bool tells_refusal() const { return true; }

    virtual int programs() { return 0; }
    virtual std::string program_name(int) { return {}; }
    virtual void set_program(int) {}

    virtual std::unique_ptr<Editor> open_editor() { return nullptr; }
    virtual bool has_editor() { return false; }
    // Lets the main thread's loop run.
    virtual void idle(int milliseconds) { (void)milliseconds; }

    virtual bool sample_accurate() const { return false; } // parameters, not notes alone
    virtual bool takes_midi() const { return true; }       // raw messages besides notes
    virtual bool modulates_notes() const { return false; } // parameter modulation and tuning of one note
    // What modulation may move of one note, as Event::modulation counts. [modulates_notes()]
    virtual const std::vector<Parameter>& note_inputs() const { return parameters(); }
    // What the plugin did that its format forbids (wrong thread, wrong state), as the adapter saw it.
    virtual std::string misdeeds() { return {}; }
};

// One instance; throws std::runtime_error with a sentence. `how`: "clap", "juce", "planted"; empty: by the file's name.
std::unique_ptr<Plugin> load(const std::string& path, const std::string& how);
std::unique_ptr<Plugin> load_clap(const std::string& path);
std::unique_ptr<Plugin> load_juce(const std::string& path);
void end_hosts();                       // the process makes no plugin any more
std::unique_ptr<Plugin> load_planted(); // an editor and programs with faults

// The shared object inside a bundle, or the path itself.
std::string shared_object(const std::string& path);

} // namespace tutti::host
