// SPDX-License-Identifier: MIT
// What the C interface says without an engine: version, results, names, parameter tables, defaults.
#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include <tutti/status.h>
#include <tutti/tutti.h>

#include "engine/core/voice_types.h"
#include "engine/effects/effect.h"
#include "engine/patch/embedded.h"

using namespace tutti::engine;
namespace voices = tutti::voices;

namespace {

struct Words {
    tutti_result result;
    tutti::Code code;
    const char* name;
    const char* text;
};
using tutti::Code;
constexpr Words k_words[] = {
    {TUTTI_OK, Code::ok, "TUTTI_OK", "it was done"},
    {TUTTI_INVALID_ARGUMENT, Code::invalid_argument, "TUTTI_INVALID_ARGUMENT", "an argument makes no sense"},
    {TUTTI_OUT_OF_RANGE, Code::out_of_range, "TUTTI_OUT_OF_RANGE", "a number is outside its range"},
    {TUTTI_NOT_FOUND, Code::not_found, "TUTTI_NOT_FOUND", "nothing has this name"},
    {TUTTI_UNSUPPORTED, Code::unsupported, "TUTTI_UNSUPPORTED", "this build or this engine cannot do it"},
    {TUTTI_FILE_NOT_FOUND, Code::file_not_found, "TUTTI_FILE_NOT_FOUND", "there is no such file"},
    {TUTTI_FILE_UNREADABLE, Code::file_unreadable, "TUTTI_FILE_UNREADABLE", "the file cannot be read"},
    {TUTTI_FILE_UNWRITABLE, Code::file_unwritable, "TUTTI_FILE_UNWRITABLE", "the file cannot be written"},
    {TUTTI_MALFORMED, Code::malformed, "TUTTI_MALFORMED", "the data is not what it should be"},
    {TUTTI_TRUNCATED, Code::truncated, "TUTTI_TRUNCATED", "the data ends too early"},
    {TUTTI_TOO_LARGE, Code::too_large, "TUTTI_TOO_LARGE", "the data is larger than is taken"},
    {TUTTI_WRONG_STATE, Code::wrong_state, "TUTTI_WRONG_STATE", "this cannot be done now"},
    {TUTTI_FULL, Code::full, "TUTTI_FULL", "there is no place left for it"},
    {TUTTI_CANCELLED, Code::cancelled, "TUTTI_CANCELLED", "it was called off"},
    {TUTTI_OUT_OF_MEMORY, Code::out_of_memory, "TUTTI_OUT_OF_MEMORY", "there is not enough memory"},
    {TUTTI_DEADLINE, Code::deadline, "TUTTI_DEADLINE", "it took longer than it may"},
    {TUTTI_NO_DEVICE, Code::no_device, "TUTTI_NO_DEVICE", "there is no such device"},
    {TUTTI_DEVICE_FAILED, Code::device_failed, "TUTTI_DEVICE_FAILED", "the device has failed"},
    {TUTTI_BACKEND_FAILED, Code::backend_failed, "TUTTI_BACKEND_FAILED", "what renders the voices has failed"},
    {TUTTI_INTERNAL, Code::internal, "TUTTI_INTERNAL", "a fault of Tutti's own"},
};
constexpr bool results_are_codes() {
    for (const Words& words : k_words)
        if (static_cast<int>(words.result) != static_cast<int>(words.code)) return false;
    return true;
}
static_assert(results_are_codes(), "tutti_result and tutti::Code are the same numbers");

const Words* find_words(tutti_result result) noexcept {
    for (const Words& words : k_words)
        if (words.result == result) return &words;
    return nullptr;
}

std::span<const tutti::Parameter> table_of(const char* type) noexcept {
    if (type == nullptr) return {};
    if (const voices::VoiceType* voice = find_voice_type(type))
        return {voice->parameters, static_cast<std::size_t>(voice->parameter_count)};
    if (const EffectType* effect = find_effect_type(type))
        return {effect->parameters, static_cast<std::size_t>(effect->parameter_count)};
    return {};
}

#define TUTTI_TEXT_OF(number) #number
#define TUTTI_VERSION_TEXT_OF(major, minor, patch)                                                                     \
    TUTTI_TEXT_OF(major) "." TUTTI_TEXT_OF(minor) "." TUTTI_TEXT_OF(patch)

} // namespace

extern "C" uint32_t tutti_version(void) noexcept {
    return TUTTI_VERSION_NUMBER;
}
extern "C" const char* tutti_version_string(void) noexcept {
    return TUTTI_VERSION_TEXT_OF(TUTTI_VERSION_MAJOR, TUTTI_VERSION_MINOR, TUTTI_VERSION_PATCH);
}
extern "C" const char* tutti_result_name(tutti_result result) noexcept {
    const Words* const words = find_words(result);
    return words != nullptr ? words->name : "TUTTI_UNKNOWN";
}
extern "C" const char* tutti_result_text(tutti_result result) noexcept {
    const Words* const words = find_words(result);
    return words != nullptr ? words->text : "this is no result of this version";
}

extern "C" const char* tutti_voice_type(int32_t place) noexcept {
    const std::span<const voices::VoiceType* const> types = voice_types();
    return place >= 0 && static_cast<std::size_t>(place) < types.size() ? types[static_cast<std::size_t>(place)]->id
                                                                        : nullptr;
}
extern "C" const char* tutti_effect_type(int32_t place) noexcept {
    const std::span<const EffectType> types = effect_types();
    return place >= 0 && static_cast<std::size_t>(place) < types.size() ? types[static_cast<std::size_t>(place)].id
                                                                        : nullptr;
}
extern "C" const char* tutti_factory_patch(int32_t place) noexcept {
    // Made from string literals: each ends with a zero.
    return place >= 0 && place < k_embedded_patch_count ? k_embedded_patches[place].name.data() : nullptr;
}

extern "C" tutti_result tutti_parameter_info(const char* type, int32_t index, tutti_parameter* out) noexcept {
    if (out == nullptr || out->struct_size < sizeof(uint32_t)) return TUTTI_INVALID_ARGUMENT;
    const std::span<const tutti::Parameter> rows = table_of(type);
    if (rows.empty()) return TUTTI_NOT_FOUND;
    if (index < 0 || static_cast<std::size_t>(index) >= rows.size()) return TUTTI_OUT_OF_RANGE;
    const tutti::Parameter& row = rows[static_cast<std::size_t>(index)];
    const tutti_parameter all = {out->struct_size, row.choice_count, row.id,      row.name,    row.group,
                                 row.choices,      row.minimum,      row.maximum, row.fallback};
    std::memcpy(out, &all, std::min<std::size_t>(out->struct_size, sizeof all));
    return TUTTI_OK;
}
extern "C" int32_t tutti_parameter_index(const char* type, const char* id) noexcept {
    const std::span<const tutti::Parameter> rows = table_of(type);
    for (std::size_t i = 0; id != nullptr && i < rows.size(); ++i)
        if (std::string_view(id) == rows[i].id) return static_cast<int32_t>(i);
    return -1;
}

extern "C" void tutti_config_init(tutti_config* config, size_t size) noexcept {
    if (config == nullptr || size < sizeof(uint32_t)) return;
    tutti_config all{};
    all.sample_rate = 48000.0;
    all.channels = 2;
    all.max_frames = 8192;
    all.look_ahead_blocks = 4;
    all.parts = 16;
    all.voices = 64;
    all.senders = 8;
    all.events = 2048;
    all.audible_voices = 256;
    all.seed = 1;
    all.patch_bytes = std::size_t{5} << 20;
    all.limiter = true;
    std::memset(static_cast<void*>(config), 0, size);
    std::memcpy(static_cast<void*>(config), &all, std::min(size, sizeof all));
    config->struct_size = static_cast<uint32_t>(size);
}
