// SPDX-License-Identifier: MIT
// Godot 4 (GDExtension, godot-cpp 4.1 or later): an AudioStream whose playback pulls a Tutti engine.
#include <godot_cpp/classes/audio_frame.hpp>
#include <godot_cpp/classes/audio_server.hpp>
#include <godot_cpp/classes/audio_stream.hpp>
#include <godot_cpp/classes/audio_stream_playback.hpp>
#include <godot_cpp/core/class_db.hpp>
#include <godot_cpp/godot.hpp>
#include <godot_cpp/variant/utility_functions.hpp>

#include <tutti/tutti.h>

class TuttiStream : public godot::AudioStream {
    GDCLASS(TuttiStream, godot::AudioStream)

public:
    TuttiStream();
    ~TuttiStream() override;
    godot::Ref<godot::AudioStreamPlayback> _instantiate_playback() const override;
    godot::String _get_stream_name() const override { return "Tutti"; }

    // From scripts, on the main thread.
    bool set_patch(int part, const godot::String& name);
    bool note_on(int part, int key, double velocity, int id);
    bool note_off(int part, int key, int id);
    tutti_engine* engine() const { return m_engine; }

protected:
    static void _bind_methods();

private:
    tutti_engine* m_engine = nullptr;
    tutti_sender* m_sender = nullptr;
};

class TuttiPlayback : public godot::AudioStreamPlayback {
    GDCLASS(TuttiPlayback, godot::AudioStreamPlayback)

public:
    godot::Ref<TuttiStream> stream; // keeps the engine alive
    void _start(double) override { m_playing = true; }
    void _stop() override { m_playing = false; }
    bool _is_playing() const override { return m_playing; }
    int32_t _mix(godot::AudioFrame* buffer, double rate_scale, int32_t frames) override;

protected:
    static void _bind_methods() {}

private:
    bool m_playing = false;
};

using namespace godot;

TuttiStream::TuttiStream() {
    tutti_config config = tutti_config_default();
    config.sample_rate = AudioServer::get_singleton()->get_mix_rate();
    if (tutti_create(&config, &m_engine) != TUTTI_OK || tutti_sender_create(m_engine, &m_sender) != TUTTI_OK)
        UtilityFunctions::push_error(tutti_last_error(m_engine));
}
TuttiStream::~TuttiStream() {
    tutti_destroy(m_engine);
}
Ref<AudioStreamPlayback> TuttiStream::_instantiate_playback() const {
    Ref<TuttiPlayback> playback;
    playback.instantiate();
    playback->stream = Ref<TuttiStream>(const_cast<TuttiStream*>(this));
    return playback;
}
bool TuttiStream::set_patch(int part, const String& name) {
    return tutti_set_patch(m_engine, part, name.utf8().get_data(), TUTTI_NOW) == TUTTI_OK;
}
bool TuttiStream::note_on(int part, int key, double velocity, int id) {
    return tutti_note_on(m_sender, TUTTI_NOW, part, key, velocity, id);
}
bool TuttiStream::note_off(int part, int key, int id) {
    return tutti_note_off(m_sender, TUTTI_NOW, part, key, id);
}
void TuttiStream::_bind_methods() {
    ClassDB::bind_method(D_METHOD("set_patch", "part", "name"), &TuttiStream::set_patch);
    ClassDB::bind_method(D_METHOD("note_on", "part", "key", "velocity", "id"), &TuttiStream::note_on);
    ClassDB::bind_method(D_METHOD("note_off", "part", "key", "id"), &TuttiStream::note_off);
}

// Godot's audio thread. An AudioFrame is two floats, left and right: the interleaved pull writes them as they are.
int32_t TuttiPlayback::_mix(AudioFrame* buffer, double, int32_t frames) {
    static_assert(sizeof(AudioFrame) == 2 * sizeof(float), "two floats a frame");
    if (!m_playing || stream.is_null()) return 0;
    tutti_pull_interleaved(stream->engine(), reinterpret_cast<float*>(buffer), static_cast<uint32_t>(frames));
    return frames;
}

namespace {
void start(ModuleInitializationLevel level) {
    if (level != MODULE_INITIALIZATION_LEVEL_SCENE) return;
    ClassDB::register_class<TuttiStream>();
    ClassDB::register_class<TuttiPlayback>();
}
void stop(ModuleInitializationLevel) {}
} // namespace

extern "C" GDExtensionBool GDE_EXPORT tutti_godot_init(GDExtensionInterfaceGetProcAddress get,
                                                       GDExtensionClassLibraryPtr library,
                                                       GDExtensionInitialization* initialization) {
    GDExtensionBinding::InitObject init(get, library, initialization);
    init.register_initializer(start);
    init.register_terminator(stop);
    init.set_minimum_library_initialization_level(MODULE_INITIALIZATION_LEVEL_SCENE);
    return init.init();
}
