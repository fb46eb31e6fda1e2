// SPDX-License-Identifier: MIT
#include "engine/core/voice_types.h"

#include <atomic>
#include <iterator>
#include <string>

#include "engine/cpu/kernel.h"
#include "voices/registry.h"

namespace tutti::engine {
namespace {

// Constant-initialized: other objects' constructors add to it before main, in any order.
struct Types {
    const voices::VoiceType* all[voices::k_voice_type_count + k_added_kernels] = {};
    AddedVoice added[k_added_kernels] = {};
    int count = 0;
    const char* refused = nullptr; // id of the first one that was left out
    const char* why = nullptr;
    std::atomic<bool> in_use{false}; // relaxed: it only catches a call that comes too late
};
constinit Types types;

const char* fault_of(const voices::VoiceType& type) noexcept {
    if (types.in_use.load(std::memory_order_relaxed)) return "it came after the first engine or table was asked for";
    if (types.count == k_added_kernels) return "a program may add 8";
    if (type.id == nullptr || *type.id == '\0' || type.name == nullptr) return "it has no id or no name";
    if (type.plan == nullptr || type.shape == nullptr) return "it lacks plan() or shape()";
    if (type.parameter_count < 0 || type.parameter_count > voices::k_max_parameters)
        return "it has too many parameters";
    if (type.envelope_count < 1 || type.envelope_count > voices::k_max_envelopes)
        return "it has no envelope, or more than 8";
    if (type.field_count < voices::state_field(type.envelope_count)) return "field_count is too small";
    if (voices::find_voice_type(type.id) != nullptr) return "there is one of that id";
    for (int i = 0; i < types.count; ++i)
        if (std::string_view(types.added[i].type.id) == type.id) return "there is one of that id";
    return nullptr;
}

} // namespace

std::span<const voices::VoiceType* const> voice_types() noexcept {
    // Its own initialization is safe on any thread.
    static const int count = [] {
        types.in_use.store(true, std::memory_order_relaxed);
        int n = 0;
        for (const voices::VoiceType* type : voices::k_voice_types)
            types.all[n++] = type;
        for (int i = 0; i < types.count; ++i)
            types.all[n++] = &types.added[i].type;
        return n;
    }();
    return {types.all, static_cast<std::size_t>(count)};
}

const voices::VoiceType* find_voice_type(std::string_view id) noexcept {
    for (const voices::VoiceType* type : voice_types())
        if (id == type->id) return type;
    return nullptr;
}

std::span<const AddedVoice> added_voices() noexcept {
    return {types.added, voice_types().size() - std::size(voices::k_voice_types)};
}

void add_voice_type(const voices::VoiceType& type, const Kernel* const (&kernels)[k_isa_count]) noexcept {
    if (const char* const fault = fault_of(type)) {
        if (types.why == nullptr) types.refused = type.id;
        if (types.why == nullptr) types.why = fault;
        return;
    }
    AddedVoice& added = types.added[types.count];
    added.type = type;
    added.type.kernel = voices::k_voice_type_count + types.count;
    for (int i = 0; i < k_isa_count; ++i)
        added.kernels[i] = kernels[i];
    ++types.count;
}

Status check_added_voices() {
    if (types.why == nullptr) return {};
    return Status(Code::invalid_argument,
                  std::string("the voice type '") + (types.refused ? types.refused : "") +
                      "' that this program adds cannot be taken: " + types.why,
                  "the engine was not made", "mend its header or its tutti_add_voice()");
}

} // namespace tutti::engine
