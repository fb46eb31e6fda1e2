// SPDX-License-Identifier: MIT
// As much of godot-cpp 4.1's declarations as examples/glue/godot uses, so that it is compiled where godot-cpp is not: names and
// signatures, nothing that runs.
#pragma once

#include <cstdint>

#define GDCLASS(type, base)
#define GDE_EXPORT
#define D_METHOD(...) 0
#define MODULE_INITIALIZATION_LEVEL_SCENE godot::ModuleInitializationLevel::scene

using GDExtensionBool = std::uint8_t;
using GDExtensionInterfaceGetProcAddress = void* (*)(const char*);
using GDExtensionClassLibraryPtr = void*;
struct GDExtensionInitialization;

namespace godot {

enum class ModuleInitializationLevel { scene };

struct CharString {
    const char* get_data() const;
};
class String {
public:
    String(const char* text = "");
    CharString utf8() const;
};

template <class T>
class Ref {
public:
    Ref(T* object = nullptr);
    template <class U>
    Ref(const Ref<U>& other) : m_object(other.operator->()) {}
    void instantiate();
    bool is_null() const;
    T* operator->() const;

private:
    T* m_object;
};

struct AudioFrame {
    float left, right;
};
class AudioStreamPlayback {
public:
    virtual ~AudioStreamPlayback();
    virtual void _start(double from);
    virtual void _stop();
    virtual bool _is_playing() const;
    virtual std::int32_t _mix(AudioFrame* buffer, double rate_scale, std::int32_t frames);
};
class AudioStream {
public:
    virtual ~AudioStream();
    virtual Ref<AudioStreamPlayback> _instantiate_playback() const;
    virtual String _get_stream_name() const;
};
class AudioServer {
public:
    static AudioServer* get_singleton();
    float get_mix_rate() const;
};
struct UtilityFunctions {
    static void push_error(const char* text);
};
struct ClassDB {
    template <class Method>
    static void bind_method(int name, Method method);
    template <class T>
    static void register_class();
};
namespace GDExtensionBinding {
struct InitObject {
    InitObject(GDExtensionInterfaceGetProcAddress get, GDExtensionClassLibraryPtr library,
               GDExtensionInitialization* out);
    void register_initializer(void (*start)(ModuleInitializationLevel)) const;
    void register_terminator(void (*stop)(ModuleInitializationLevel)) const;
    void set_minimum_library_initialization_level(ModuleInitializationLevel level) const;
    GDExtensionBool init() const;
};
} // namespace GDExtensionBinding

} // namespace godot
